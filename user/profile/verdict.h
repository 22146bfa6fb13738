/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What becomes of a site's objects, in one word; and where it grows, and how fast.
 *
 * Growth is judged by the old class: objects of an age that is a third of the cycles seen or somewhat more. In the
 * steady state of any site, cache or turnover, as many leave that class by death as enter it by living on; in a leak
 * they enter only. A filled cache has neither. (A trend test on in-use bytes cannot tell a leak from a cache's filling
 * or from a sawtooth.) Those who enter are counted from a quarter of the cycles on: what was filled by then is past.
 *
 * Why a third, and why not before 40 cycles: every site begins empty at attach, so at first all fill as leaks do, and
 * nothing can tell them apart. Turnover is told from a leak once a third of the cycles is some two mean lives, a
 * sawtooth once it is more than its period, a cache once two fifths are more than it took to fill. 40 is the least for
 * those that the error rates are stated for. Percent of 1000 sites that this rule calls growing (before 40: that it
 * would call so, had it no least; tests/unit/profile/test_verdict_rate.c simulates them):
 *
 *   cycles                                    20     30     36     40     44     48     60    120
 *   turnover, mean life 5                    2.9    0.4    0.2      0      0      0      0      0
 *   cache, full after 15 cycles              100    100      0      0      0      0      0      0
 *   sawtooth, empty every 13 cycles           36    6.1    6.1      0      0      0      0      0
 *   leak of 1 % a cycle                       96    100    100    100    100    100    100    100
 *   the same beside 20 times the turnover     33     44     57     85     94    99.5   99.8    100
 *
 * With a quarter instead of a third sawteeth are called growing up to 49 cycles; a period of 20, for 16 % of them even
 * after 60.
 *
 * What it cannot know: a site that takes longer than the recording gives it is called growing. A longer recording helps,
 * or a lower --gogc, which makes more cycles of the same time.
 */
#include "profile/lifetime.h"
#include "profile/survival.h"

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
	struct flow_sum whole, late; /* about the last two fifths, the last fifth of the cycles seen */
};

/*
 * Zeroed, then: add a site, each of whose samples weighs `weight` (bytes, for verdict_growth()), at paced cycle `now`.
 * All sites added must be of one process. Before 40 cycles nothing is added.
 */
void flow_add(struct flow *flow, const struct lifetime *lifetime, double weight, u32 now);

/*
 * `survival` is of objects, of the same sites as `flow`. In this order:
 * unknown below 20 samples; growing if net / sqrt(variance) is above 2.6 over the whole and above 1.3 over its later half;
 * transient if the one-sided 95 % upper bound of S(1) is below 5 % (so at least 59 samples); steady if any sample is
 * known to have survived `tenure` cycles; else mixed.
 */
enum verdict verdict_of(const struct survival *survival, const struct flow *flow, u32 tenure);
const char *verdict_name(enum verdict verdict);

/*
 * Bytes that stay, per unit of the time in which `clock` says when the buckets of lifetime.h began, over the whole;
 * *ret_error is its standard error. 0 and 0 before 40 cycles, or if the clock stands still.
 */
double verdict_growth(const struct flow *flow, const u64 clock[LIFETIME_BUCKETS], u32 now, double *ret_error);
