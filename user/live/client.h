/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Who asks a source: the screen of `top`, the server of `serve`. It runs in a thread of its own, at the priority that heaptap was started with, so
 * that the thread that empties the ring never waits for it, but while it holds a lock of malloc's (the longest: push's malloc_trim).
 */
#include "base/thread.h"
#include "live/source.h"

struct live_client {
	/*
	 * Ask until there is nothing more to do; return soon once `stop_fd` becomes readable: by a signal, or because nothing more
	 * can be said. Returns enum status. What it may call besides the source is its own.
	 */
	int (*run)(struct source *source, int stop_fd, void *arg);
	void *arg;
	/* It asks again and again with source_want.adds_up: what a process had that has ended is kept until it was told. */
	bool adds_up;
};

/* A client that runs. */
struct client_run {
	const struct live_client *client;
	struct source *source; /* outlives it */
	int stop_fd;	       /* an eventfd */
	int status;
	struct thread thread;
};

/* STATUS_DONE, or STATUS_FAILED with the reason logged. */
int client_start(struct client_run *run, const struct live_client *client, struct source *source);
bool client_is_done(const struct client_run *run);
void client_stop(struct client_run *run); /* may be called again */

/* Wait until it has returned. The status it returned; that of client_start if it was not started. */
int client_finish(struct client_run *run);

/* On a recording on disk, until the client returns, or a signal stops it. Returns the status, the reason logged. */
int client_run_recorded(const char *path, const struct live_client *client);
