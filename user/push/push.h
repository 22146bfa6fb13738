/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap push`: a source's profiles to a store, one pair for each series and interval, until it is stopped or the target has ended. */
#include "live/client.h"
#include "push/labels.h"

#define PUSH_EVERY_S 15 /* as often as scrapers ask */

struct push_options {
	const char *path; /* of a recording; NULL: something that runs */
	const char *to;	  /* as destination_parse takes it */
	double every_s;	  /* 0: PUSH_EVERY_S */
	struct label_list labels;
	const char *auth_file, *tenant, *header_file; /* see push/credentials.h */
	const char *ca_file, *spool;		      /* see push/delivery.h */
	u64 spool_bytes;
};

/* Is there a mistake in them? STATUS_DONE, or the status with the reason logged. Before anything is traced. */
int push_check(const struct push_options *options);

/* For struct live_client, with the options as `arg`. STATUS_FAILED also where profiles were lost. */
int push_run(struct source *source, int stop_fd, void *arg);
