/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VERDICT_H
#define VERDICT_H
/*
 * What becomes of a site's objects, in one word; and where it grows, how fast and how long memory will last.
 *
 * Growth is judged by the old class: objects of an age that is a quarter of the cycles seen or somewhat more. In the
 * steady state of any site, cache or turnover, as many leave that class by death as enter it by living on; in a leak
 * they enter only. A filled cache has neither. (A trend test on in-use bytes cannot tell a leak from a cache's filling
 * or from a sawtooth.)
 *
 * What it cannot know: every site begins empty at attach, so until deaths catch up, after about five mean lives, any
 * turnover fills as a leak does, and so does a cache until four times the cycles it took to fill.
 */
#include "lifetime.h"
#include "survival.h"

enum verdict {
	VERDICT_UNKNOWN,   /* fewer than 20 samples */
	VERDICT_TRANSIENT, /* hardly any survives a cycle */
	VERDICT_GROWING,   /* a leak suspect */
	VERDICT_STEADY,	   /* some survive `tenure` cycles, and as many die */
	VERDICT_MIXED,	   /* none of these */
};

/* Weight that entered the old class less weight that left it by death, and the variance of that beyond chance. */
struct flow_sum {
	double net, variance;
};

struct flow {
	struct flow_sum half, quarter; /* about the last half, the last quarter of the cycles seen */
};

/*
 * Zeroed, then: add a site, each of whose samples weighs `weight` (bytes, for verdict_growth()), at paced cycle `now`.
 * All sites added must be of one process. Before 12 cycles nothing is added.
 */
void flow_add(struct flow *flow, const struct lifetime *lifetime, double weight, u32 now);

/*
 * `survival` is of objects, of the same sites as `flow`. In this order:
 * unknown below 20 samples; growing if net / sqrt(variance) is above 2.6 over the half and above 1.3 over the quarter;
 * transient if the one-sided 95 % upper bound of S(1) is below 5 % (so at least 59 samples); steady if any sample is
 * known to have survived `tenure` cycles; else mixed.
 */
enum verdict verdict_of(const struct survival *survival, const struct flow *flow, u32 tenure);
const char *verdict_name(enum verdict verdict);

/*
 * Bytes that stay, per unit of the clock's time, over the half; *ret_error is its standard error. 0 and 0 before 12
 * cycles, or if the clock stands still or was not told all cycles up to `now`.
 */
double verdict_growth(const struct flow *flow, const struct lifetime_clock *clock, u32 now, double *ret_error);

/* Units of time until `used` bytes become `limit` at that growth; 0 when they are, INFINITY when they never do. */
double verdict_time_left(double growth, u64 used, u64 limit);

#endif
