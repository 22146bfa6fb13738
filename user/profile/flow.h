/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How the live objects of a site come and go in time: from the buckets of lifetime.h, in objects or in bytes. It says
 * whether the site grows and will go on growing. Time is in the ticks of lifetime.h since tracing began, T of them by now.
 *
 * Old is who has lived for T/3. In the steady state of any site, cache or turnover, as many leave the old class by death as
 * enter it by living on; in a leak they enter only; a filled cache has neither. Those are counted who were born from
 * T/4 on: what was filled by then is past. A site grows when four things hold:
 *
 *   beyond chance: more enter than leave, by more than 3 standard deviations of Poisson counts;
 *   still: in the last T/3 the level rose by 0.55 at least of what those who entered lead one to expect, and so it did in
 *     the later half of their births. A cache that is full, or a program that has warmed up, does not;
 *   for good: those who are old do not die as readily as those half as old. Objects of one mean life do, so do those
 *     that are dropped all at once;
 *   and all of that for long enough, which is the caller's to say.
 *
 * What `still` allows for: the greatest fall of the level within a bucket (a site that oscillates may be looked at in a
 * trough), one standard deviation of its turnover, and the greatest step, which is how far a bucket's births stand out
 * of those before and after it, when three standard deviations or more: a leak may come in steps.
 * tests/unit/profile/test_verdict_rate.c simulates how often all this errs.
 */
#include "profile/lifetime.h"

struct flow_mortality {
	double died, alive; /* weight that died in buckets, and that was alive when they began */
};

struct flow {
	struct flow_bucket {
		double change;		/* born less died: of the level */
		double kept;		/* born in it and alive at its end */
		double in, out;		/* of the old class */
		double change_variance; /* what chance alone adds to each of them */
		double kept_variance, net_variance;
	} buckets[LIFETIME_BUCKETS];
	double turnover; /* variance of the level in the last T/3 by objects that are replaced */
	struct flow_mortality middle, old;
};

/*
 * Zeroed, then: add a site, each of whose samples weighs `weight`, when tick `now` has been reached. All sites added must
 * be of one process.
 */
void flow_add(struct flow *flow, const struct lifetime *lifetime, double weight, u32 now);

struct flow_trend {
	double net, variance; /* what has come to stay, of those born in the buckets from `first` to before `end` */
	u32 first, end;
	bool enters;	/* beyond chance */
	bool may_enter; /* not beyond chance, but beyond 1.9 standard deviations: too few to say */
	bool stays;	/* `enters`, still, and for good: it grows, if that was long enough */
	bool rises;	/* the level is beyond chance higher than ever in the first two thirds */
	bool old;	/* any object was seen to be old */
};

void flow_conclude(const struct flow *flow, u32 now, struct flow_trend *ret_trend);
