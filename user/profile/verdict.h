/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What becomes of a site's objects, in one word; and how fast it grows.
 *
 * Every site begins empty at attach, so at first all fill as leaks do, and nothing can tell them apart. So there is
 * no verdict on growth before the recording is 40 ticks long, cycles of the model collector and seconds together. From
 * then on flow.h judges. What it cannot know: a site that takes longer than the recording gives
 * it is called growing. tests/unit/profile/test_verdict_rate.c and docs/lifetimes.md say how often.
 */
#include "profile/flow.h"
#include "profile/survival.h"

#define VERDICT_TICKS 40 /* that must have passed */

enum verdict {
	VERDICT_UNKNOWN,   /* too few samples */
	VERDICT_TRANSIENT, /* hardly any survives a cycle */
	VERDICT_GROWING,   /* a leak suspect */
	VERDICT_FILLING,   /* has grown, and does so more slowly or loses what is old: as a cache or a warm-up does */
	VERDICT_STEADY,	   /* some live long, and as many die */
	VERDICT_MIXED,	   /* none of these */
	VERDICT_EARLY,	   /* the recording is too short, or growth too recent, to tell */
};

/*
 * `survival` is of objects, of the same sites as `trend`. In this order:
 * unknown below 20 samples; growing if 40 of `ticks` have passed and the trend stays;
 * too early if the trend may enter, and too few have come to stay to say that it does;
 * transient if S(1) is below 5 %, and so is its one-sided 95 % upper bound (so at least 59 samples), either by weight or by
 * the count of samples; unknown if none survived a cycle and there are too few to say so;
 * too early before 40 ticks; filling if the level rises and more became old than died, too early if it rises alone;
 * steady if any sample is known to have survived `tenure` cycles or to be old; else mixed.
 */
enum verdict verdict_of(const struct survival *survival, const struct flow_trend *trend, u32 ticks, u32 tenure);
const char *verdict_name(enum verdict verdict);
enum verdict verdict_find(const char *name); /* VERDICT_UNKNOWN: there is none of that name */

/*
 * What stays, per unit of the time in which `clock` says when the buckets of lifetime.h began; *ret_error is its standard
 * error. 0 and 0 where there is no trend yet, or if the clock stands still.
 */
double verdict_growth(const struct flow_trend *trend, const u64 clock[LIFETIME_BUCKETS], double *ret_error);
