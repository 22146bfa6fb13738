/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap serve`: a source over HTTP, until it is stopped. */
#include "live/client.h"
#include "push/pushing.h"

struct serve_options {
	const char *path;		 /* of a recording; NULL: something that runs */
	const char *listen;		 /* as listener_check takes it */
	const char *token_file;		 /* NULL: none; then only this machine's processes may reach `listen` */
	const struct push_options *push; /* to be pushed meanwhile, of what is traced; NULL: nothing is */
};

/* Is there a mistake in them? STATUS_DONE, or the status with the reason logged. Before anything is traced. */
int serve_check(const struct serve_options *options);

/* For struct live_client, with the options as `arg`. STATUS_FAILED also where profiles were lost that were to be pushed. */
int serve_run(struct source *source, int stop_fd, void *arg);
