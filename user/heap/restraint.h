/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What --max-overhead has taken from a recording so far. Whoever takes it sets this, with the times of the clock that events have; the
 * events that are applied afterwards are taken for what they are worth.
 *
 * Once frees are not traced any more, the heaps stay as they were at that moment: what was in use is in use in every profile that follows,
 * ages stand still, and no cycle completes. What is allocated later is counted, published at once, and not followed.
 */
#include "include/types.h"

struct restraint_state {
	double limit_percent;	 /* 0: there is no limit */
	u64 frees_ended_ns;	 /* 0: they are traced */
	u32 scale, scale_before; /* so many samples each of them counts for; 0, 1: one */
	u64 scale_ns;		 /* from when on it is not scale_before */
	u32 scale_most;		 /* the largest so far */
	u64 scaled_ns;		 /* when it was more than one for the first time; 0: never */
	double scale_error;	 /* of the number of allocations since, relative; infinite: nothing is known */
	u64 detached_ns;	 /* 0: tracing goes on, or ended for another reason */
};

static inline u32 restraint_scale_at(const struct restraint_state *restraint, u64 time_ns)
{
	u32 scale = time_ns >= restraint->scale_ns ? restraint->scale : restraint->scale_before;

	return scale ? scale : 1;
}

static inline bool restraint_knows_frees(const struct restraint_state *restraint, u64 time_ns)
{
	return !restraint->frees_ended_ns || time_ns <= restraint->frees_ended_ns;
}
