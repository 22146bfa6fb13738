/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The file system as a process sees it: files are looked up in its mount namespace, also after its end. Nothing there
 * is trusted: no name leads out of that root, and only regular files are opened.
 */
#include <sys/types.h>

#include "include/types.h"

struct stat;

struct root_fs {
	int fd;		 /* its root directory; -1: cannot be opened */
	pid_t pid;	 /* as heaptap sees it */
	pid_t inner_pid; /* as the process itself sees it; 0: not known yet */
	uid_t uid;	 /* effective user: the owner of files that it makes; known when inner_pid is */
};

/* The root of a living process; its user is not read yet. 0, or negative errno with ret_root->fd -1. */
int root_fs_open(pid_t pid, struct root_fs *ret_root);

/* heaptap's own root. */
int root_fs_open_own(struct root_fs *ret_root);

/* Read its user, which may have changed, and its number; does nothing when it has ended. */
void root_fs_look(struct root_fs *root);

void root_fs_close(struct root_fs *root);

enum root_fs_links {
	ROOT_LINKS_NONE,   /* no part of the path may be a symbolic link: -ELOOP */
	ROOT_LINKS_INSIDE, /* links are followed, absolute ones from this root */
};

/*
 * Open a regular file of at most `size_max` bytes for reading. A descriptor; -EINVAL: no regular file; -EFBIG; or
 * another negative errno. *ret_status may be NULL.
 */
int root_fs_open_file(const struct root_fs *root, const char *path, enum root_fs_links links, u64 size_max,
		      struct stat *ret_status);
