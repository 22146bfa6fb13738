/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What --max-overhead decides, from what the traps cost in an interval and the CPU time that the traced processes used in it. It knows no
 * process and no clock: budget.h measures, and does what is decided.
 *
 * Above the limit, one step an interval, and only those that are allowed and can be had: the hint at --inline, where that helps; frees are no longer traced; the probes are on
 * in one window out of `scale`, and out of more; the end. Well below it for some intervals in a row, `scale` is halved, so that a load
 * about the limit does not go to and fro.
 */
#include <stdbool.h>

#include "include/types.h"

#define OVERHEAD_SCALE_MAX 32 /* windows, of which one is left */
/*
 * In percent: with more, windows cannot stand for the rest. How much work was done in one is known by what the traps in it did not take; where
 * these took half, and cost a quarter more than was measured, it was a quarter less, and with four fifths none at all.
 */
#define OVERHEAD_WINDOWED_MAX	50.0
#define OVERHEAD_COST_ERROR	0.25 /* how much more traps may cost than was measured */
#define OVERHEAD_CALM_INTERVALS 3
#define OVERHEAD_CALM_SHARE	0.8 /* of the limit, that twice the windows would cost at most */

enum overhead_step {
	OVERHEAD_KEEP = 0,	/* all stays as it is */
	OVERHEAD_HINT = 1,	/* say what --inline would do */
	OVERHEAD_END_FREES = 2, /* functions that free are not probed any more */
	OVERHEAD_RARER = 3,	/* the probes are on in fewer windows: one out of `scale` */
	OVERHEAD_DENSER = 4,	/* in more of them */
	OVERHEAD_DETACH = 5,	/* the recording ends */
};

struct overhead {
	double limit_percent; /* of the CPU time of the traced processes; 0: there is none */
	bool may_hint, may_end_frees, may_window;
	double go_percent; /* what traps in Go's runtime took of the interval: --inline does not spare them */
	/* its own */
	u32 scale; /* the probes are on in one window out of so many; 1: always */
	u32 calm;  /* intervals in a row in which twice the windows would have cost little enough */
	bool detached;
};

/* What it was, in percent of the CPU time; 0 where no time was used. */
double overhead_percent(double cost_ns, double cpu_ns);

/*
 * By how much more than estimated may have been allocated, as a share, if traps cost OVERHEAD_COST_ERROR more than was measured; `percent` is the
 * overhead while the probes are on. Infinite where that explains all of the time.
 */
double overhead_bias(double percent);

/* Could --inline alone keep the limit? Not where the traps in Go's runtime exceed it. */
bool overhead_inline_helps(const struct overhead *overhead);

/* An interval of that overhead is over: what is to be done now. `scale` is as it shall be from here on. */
enum overhead_step overhead_decide(struct overhead *overhead, double percent);
