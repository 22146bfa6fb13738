/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a source lists as metrics: the text format 0.0.4 of Prometheus, or OpenMetrics 1.0.0. Series are by container and name of the
 * process; with a pid only where processes were named, since a pid is a label without end. The METRICS_SERIES_MAX largest
 * have series of their own, what is left is the one named "other".
 *
 * Gauges are of living processes, counters also of those that have ended, as long as the series has a living one; once the recording has
 * ended everything is shown as it was then. A series of no process is gone.
 */
#include "live/source.h"
#include "push/ledger.h"

#define METRICS_SERIES_MAX 200

#define METRICS_TYPE_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define METRICS_TYPE_OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"

struct metrics_scope {
	u32 pid;	       /* 0: not by process. Its series have no labels: who asks for one knows which */
	const char *container; /* NULL: not by container */
};

/*
 * `pushed`: what became of profiles that are pushed, which is of all processes and so in no narrower scope; NULL: none are. 0; -ENOENT: the
 * scope has no process; -ENOMEM; or the errno of writing.
 */
int metrics_write(const struct source_listing *listing, const struct metrics_scope *scope,
		  const struct push_ledger *pushed, bool open_metrics, FILE *out);

/* Does the client of this Accept header (NULL: none) take OpenMetrics? */
bool metrics_accepts_open(const char *accept);
