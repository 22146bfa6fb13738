/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The socket that `serve` listens on: TCP, or a Unix socket. */
#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define LISTENER_DEFAULT "127.0.0.1:7979"

struct listener {
	int fd;
	bool local;	     /* only this machine's processes reach it */
	char unix_path[108]; /* "": TCP */
	dev_t device;	     /* of the file there, which another one may have replaced when it is removed */
	ino_t inode;
	char address[128]; /* host and port as in a URL; "localhost" for a Unix socket */
};

/*
 * Can it be listened on: ADDR:PORT with an address or "localhost", [ADDR]:PORT for IPv6, unix:PATH? 0; -EINVAL: it is none of these. *ret_local:
 * see above.
 */
int listener_check(const char *text, bool *ret_local);

/*
 * Open it. A Unix socket is for its owner alone (mode 0600); one that nobody listens on any more is replaced. 0 or negative errno:
 * -EADDRINUSE: another program listens there, or the path is no socket. Never waits.
 */
int listener_open(const char *text, struct listener *ret_listener);

/* Close it, and remove a Unix socket's path, if it is still this one's. */
void listener_close(struct listener *listener);
