/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What is pushed of each series and interval is a pair of profiles: what is in use, of the moment the interval ends, and what was
 * allocated in it. Stores add up what was allocated, and take what is in use as the latest value, so one profile cannot have both; and the
 * difference must be made here, since a store that misses one cumulative profile would count its time twice, or not at all.
 *
 * An interval whose profile was not kept is part of the next one: nothing is lost, but for what processes had that are dropped meanwhile.
 */
#include "live/source.h"

/* Valid when zeroed. */
struct pair {
	struct profile *last;  /* all that was counted when the last interval ended; NULL: there was none */
	struct profile *now;   /* the same of the interval that is being pushed; NULL: none is */
	struct source *source; /* that gave it; borrowed until it is kept or dropped, which that is told */
};

/*
 * The whole target at this moment, and what its processes are: allocated is what was in this interval (the first begins with the tracing), in
 * use is of processes that run. For the caller to free and, in any case, to release. 0, or as source_take. pair_keep or pair_drop follows.
 */
int pair_take(struct pair *pair, struct source *source, struct source_listing *ret_listing,
	      struct profile **ret_profile);

void pair_keep(struct pair *pair); /* it is on its way: the next interval begins where it ended */
void pair_drop(struct pair *pair); /* it is not */
void pair_release(struct pair *pair);
