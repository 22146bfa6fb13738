/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is pushed of one interval: the samples of a profile put to their series, and a pair of profiles for each. */
#include "live/source.h"
#include "push/batch.h"
#include "push/series.h"

struct interval {
	const struct source_listing *listing; /* what the processes are */
	const struct profile *profile;	      /* of all of them, as pair_take gives it */
	const char *host;
	const char *container_logs; /* directory, see system/container_log.h */
	s64 taken_ns;		    /* when it ended: CLOCK_REALTIME */
};

/*
 * Each sample to the series of its process; who has none takes no series. The namespace of a container is looked up until it is known, and then
 * kept with the series. 0 or negative errno: no memory, or a namespace that could not be looked up.
 */
int interval_sort(const struct interval *interval, struct push_series_table *table);

/* The pairs of all series that have any, as requests. 0 or -ENOMEM, and then nothing is sent. */
int interval_send(const struct interval *interval, const struct push_series_table *table, struct batch *batch);
