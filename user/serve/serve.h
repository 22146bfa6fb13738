/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap serve`: a source over HTTP, until it is stopped. */
#include "live/client.h"

struct serve_options {
	const char *path;	/* of a recording; NULL: something that runs */
	const char *listen;	/* as listener_check takes it */
	const char *token_file; /* NULL: none; then only this machine's processes may reach `listen` */
};

/* Is there a mistake in them? STATUS_DONE, or the status with the reason logged. Before anything is traced. */
int serve_check(const struct serve_options *options);

/* For struct live_client, with the options as `arg`. */
int serve_run(struct source *source, int stop_fd, void *arg);
