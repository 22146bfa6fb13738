/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Several processes together: what is in use of those that live, what grows, what was lost. */
#include "view/index_entry.h"

/* Valid when zeroed, for population_add. Not to be copied: `sum` points to `facts`. */
struct population {
	/* What all have; its tables are not used. Its interval is that of the recording, or Go's where there are none but Go programs. */
	struct profile facts;
	struct index_entry sum; /* of all; in use: with what those that have ended had at their exit. It has no files */
	u32 living;
	u64 inuse_space;    /* bytes, of the living */
	double inuse_error; /* standard error of that; NAN: unknown */
	u64 lost;	    /* over all counters that are losses */
	bool traced;	    /* any whose profile its program did not keep itself */
};

void population_add(struct population *population, const struct index_entry *entry);
void population_sum(const struct index_entry *entries, u32 count, struct population *ret_population);

/* What all processes together grow by. */
struct population_growth {
	u32 processes;	     /* living ones that grow; 0: none does, or it is not known */
	double bytes, error; /* a second, and its standard error, which is NAN where it is unknown */
	double left_s;	     /* until the first group with a limit reaches it; INFINITY: none does */
	bool known;	     /* of any, given enough seconds */
	u32 ticks;	     /* seconds of the process that was seen longest */
};

struct population_growth population_growth(const struct index_entry *entries, u32 count);

/* Seconds until the growing processes of its group together reach the group's limit: INFINITY where it has none of either. */
double population_time_left(const struct index_entry *entries, u32 count, const struct index_entry *entry);
