/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a recording prints at its end: a summary of 24 lines (format/table_summary.h), or with -v all tables. While it goes on
 * the terminal is the target's: what is to be said of images that have ended is kept.
 */
#include <stdio.h>

#include "record/aggregate.h"

/* Valid when zeroed, but for the first five. */
struct summary {
	bool quiet, whole, merges;	  /* print nothing; all tables; several processes become one profile */
	int dir;			  /* where text may be kept */
	const struct cgroup_usage *group; /* that is recorded; borrowed */
	FILE *spool;			  /* all tables of images that have ended; NULL: there are none, or no room */
	char *text, *sites; /* of the image that matters most: its summary, its sites; NULL: none, or no memory */
	u64 rank;	    /* see index_entry_rank */
};

/* Where nothing is merged: take in an image's last profile. */
void summary_add(struct summary *summary, const struct profile *profile);

/* From now on keep whole tables; and print what was kept, from when on they are printed at once. 0 or negative errno. */
void summary_hold(struct summary *summary);
int summary_let_go(struct summary *summary);

/* At the end, on standard error. */
void summary_print(const struct summary *summary, const struct aggregate_result *result);

/* What to type to see more of what is in directory `path`. */
void summary_say_next(const struct aggregate_result *result, const char *path);

void summary_release(struct summary *summary);
