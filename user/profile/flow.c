/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows from a site's buckets of time, and what follows from them. Pure functions; see flow.h. */
#include "profile/flow.h"

#include <math.h>

#define CHANCE		3    /* once in 740 times, of one side */
#define DOUBT		1.9  /* once in 35 times; four that became old, of whom none died, are 2 */
#define PACE		0.55 /* of a leak's, below which a site slows down */
#define MORTALITY_LEAST 0.1  /* in T/3; less is no turnover that would end growth in any time seen */
#define MORTALITY_RATIO 0.5  /* of old to middle-aged objects */

/* In whole buckets: ages, and buckets of time. Flows are counted in [first, end), of which the last may not be complete. */
struct window {
	u32 width; /* in ticks */
	u32 middle_age, old_age;
	u32 first, late, end;
	u32 recent; /* where the last third begins */
};

/* So many buckets as are that part of the time, or more. */
static u32 part(u32 now, u32 parts, u32 width)
{
	return (u32)ceil((double)now / parts / width);
}

static struct window window_at(u32 now)
{
	u32 width = lifetime_width(now);
	struct window window = {
		.width = width,
		.middle_age = part(now, 6, width),
		.old_age = part(now, 3, width),
		.end = now / width,
		.recent = (u32)(2 * (u64)now / 3 / width),
	};

	window.first = part(now, 4, width) + window.old_age;
	window.late = (window.first + window.end) / 2;
	return window;
}

/* --- adding --- */

static void expose(struct flow_mortality *mortality, double died, double alive)
{
	mortality->died += died;
	mortality->alive += alive;
}

/*
 * `alive` of those born in bucket `birth` lived when bucket `death` began, and `gone` died in it. Who is alive at the
 * end of the bucket `old_age` later enters, being older than that whenever it was born. Who was older already when a
 * bucket began and dies in it leaves.
 */
static void add_age(struct flow *flow, const struct window *window, u32 birth, u32 death, double alive, double gone,
		    double weight)
{
	struct flow_bucket *bucket = &flow->buckets[death];
	u32 age = death - birth;
	bool counts = death >= window->first && death < window->end;
	double in = counts && age == window->old_age ? fmax(alive - gone, 0) : 0;
	double out = counts && age > window->old_age ? gone : 0;

	bucket->change -= weight * gone;
	bucket->change_variance += age ? weight * weight * gone : 0;
	bucket->in += weight * in;
	bucket->out += weight * out;
	bucket->net_variance += weight * weight * (in + out);
	if (birth < window->recent && death >= window->recent)
		flow->turnover += 2 * weight * weight * gone; /* and as many are born for those who die */
	if (death < window->end && age >= window->middle_age && age < window->old_age)
		expose(&flow->middle, weight * gone, weight * alive);
	if (death < window->end && age > window->old_age)
		expose(&flow->old, weight * gone, weight * alive);
}

static void add_born(struct flow_bucket *bucket, double born, double kept, double weight)
{
	bucket->change += weight * born;
	bucket->kept += weight * kept;
	bucket->kept_variance += weight * weight * kept;
	bucket->change_variance += weight * weight * kept;
}

/* Counts that are full may contradict one another. */
void flow_add(struct flow *flow, const struct lifetime *lifetime, double weight, u32 now)
{
	struct window window = window_at(now);
	struct lifetime site = *lifetime;

	lifetime_advance(&site, now);
	for (u32 birth = 0; birth < LIFETIME_BUCKETS; birth++) {
		double alive = site.born[birth], at_once = site.gone[lifetime_cell(birth, birth)];

		add_born(&flow->buckets[birth], alive, fmax(alive - at_once, 0), weight);
		for (u32 death = birth; death < LIFETIME_BUCKETS; death++) {
			double gone = site.gone[lifetime_cell(birth, death)];

			add_age(flow, &window, birth, death, alive, gone, weight);
			alive = fmax(alive - gone, 0);
		}
	}
}

/* --- concluding --- */

struct sum {
	double net, variance;
};

static struct sum sum_net(const struct flow *flow, u32 from, u32 end)
{
	struct sum sum = {0};

	for (u32 i = from; i < end; i++) {
		sum.net += flow->buckets[i].in - flow->buckets[i].out;
		sum.variance += flow->buckets[i].net_variance;
	}
	return sum;
}

/* By how much the level is above the highest that it had at the beginning of a bucket before the last third. */
static struct sum find_rise(const struct flow *flow, const struct window *window)
{
	double level = 0, highest = 0;
	struct sum rise = {.variance = flow->turnover};

	for (u32 i = 0; i <= window->end && i < LIFETIME_BUCKETS; i++) {
		if (i <= window->recent)
			highest = fmax(highest, level);
		else
			rise.variance += flow->buckets[i].change_variance;
		level += flow->buckets[i].change;
	}
	rise.net = level - highest;
	return rise;
}

static double find_fall(const struct flow *flow, const struct window *window)
{
	double fall = 0;

	for (u32 i = window->first - window->old_age; i <= window->end && i < LIFETIME_BUCKETS; i++)
		fall = fmax(fall, -flow->buckets[i].change);
	return fall;
}

/* How far the births that stay of bucket i stand out above or below both its neighbours; 0: within chance. */
static double step_at(const struct flow *flow, const struct window *window, u32 i)
{
	const struct flow_bucket *here = &flow->buckets[i], *before = here - 1;
	const struct flow_bucket *after = i + 1 < window->end ? here + 1 : before;
	double chance = sqrt(here->kept_variance + (before->kept_variance + after->kept_variance) / 2);
	double above = here->kept - fmax(before->kept, after->kept);
	double below = after == before ? 0 : fmin(before->kept, after->kept) - here->kept;
	double step = fmax(above, below);

	return step > CHANCE * chance ? step : 0;
}

static double find_step(const struct flow *flow, const struct window *window)
{
	double step = 0;

	for (u32 i = window->first - window->old_age; i < window->end; i++)
		step = fmax(step, step_at(flow, window, i));
	return step;
}

static bool keeps_pace(const struct flow *flow, const struct window *window, u32 now, double net)
{
	double per_bucket = net / (window->end - window->first), step = find_step(flow, window);
	double recent = (double)now / window->width - window->recent;
	struct sum late = sum_net(flow, window->late, window->end), rise = find_rise(flow, window);
	double allowed = find_fall(flow, window) + sqrt(flow->turnover) + step;

	return rise.net >= PACE * per_bucket * recent - allowed &&
	       late.net >= PACE * per_bucket * (window->end - window->late) - sqrt(late.variance) - step;
}

static double mortality(const struct flow_mortality *of)
{
	return of->alive > 0 ? of->died / of->alive : 0;
}

/* The old die as those half as old do: so they are no leak, and what lives now will be gone. */
static bool turns_over(const struct flow *flow, const struct window *window, u32 now)
{
	double old = mortality(&flow->old), third = (double)now / 3 / window->width;

	return old * third > MORTALITY_LEAST && old > MORTALITY_RATIO * mortality(&flow->middle);
}

void flow_conclude(const struct flow *flow, u32 now, struct flow_trend *ret_trend)
{
	struct window window = window_at(now);
	struct sum whole = sum_net(flow, window.first, window.end), rise;

	*ret_trend = (struct flow_trend){.old = flow->old.alive > 0};
	if (window.first >= window.end) /* fewer than seven ticks */
		return;
	rise = find_rise(flow, &window);
	ret_trend->net = whole.net;
	ret_trend->variance = whole.variance;
	ret_trend->first = window.first - window.old_age;
	ret_trend->end = window.end - window.old_age;
	ret_trend->enters = whole.net > CHANCE * sqrt(whole.variance);
	ret_trend->may_enter = whole.net > DOUBT * sqrt(whole.variance) && !ret_trend->enters;
	ret_trend->stays =
		ret_trend->enters && keeps_pace(flow, &window, now, whole.net) && !turns_over(flow, &window, now);
	ret_trend->rises = rise.net > CHANCE * sqrt(rise.variance);
}
