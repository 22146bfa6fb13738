/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The old class's flows from a site's buckets of time, and what follows from them. Pure functions; see verdict.h. */
#include "verdict.h"

#include <math.h>

#define SAMPLES_MIN    20
#define CYCLES_MIN     12
#define GROWTH_HALF    2.6
#define GROWTH_QUARTER 1.3
#define TRANSIENT_MAX  0.05
#define TRANSIENT_RISK 0.10 /* both sides together, of which one counts */

/* In whole buckets that are complete; [half, end) and [quarter, end) are the windows. */
struct window {
	u32 age; /* the old class: born so many whole buckets ago or more */
	u32 half, quarter, end;
};

/*
 * The half begins where those who enter the old class were born when a quarter of the cycles had passed, so that what
 * was filled by then is no inflow. Of the 7 to 13 buckets 2 to 4 are the quarter: one would hold too few samples.
 */
static struct window window_at(u32 width, u32 now)
{
	struct window window = {.age = (u32)(((u64)now + 4ULL * width - 1) / (4ULL * width)), .end = now / width};

	window.half = 2 * window.age;
	window.quarter = window.end - (window.end + 3) / 4;
	return window;
}

/*
 * Who was born in bucket `bucket - age` and is alive at the end of `bucket` enters, being older than `age` buckets then
 * whenever it was born. Who was older already when `bucket` began and dies in it leaves.
 */
static void count_flows(const struct lifetime *lifetime, u32 age, u32 bucket, u64 *ret_in, u64 *ret_out)
{
	u32 birth = bucket - age;
	u64 in = lifetime->born[birth], out = 0;

	for (u32 death = birth; death <= bucket; death++) {
		u32 gone = lifetime->gone[lifetime_cell(birth, death)];

		in = in > gone ? in - gone : 0;
	}
	for (u32 older = 0; older < birth; older++)
		out += lifetime->gone[lifetime_cell(older, bucket)];
	*ret_in = in;
	*ret_out = out;
}

static void flow_sum_add(struct flow_sum *sum, double in, double out, double weight)
{
	sum->net += weight * (in - out);
	sum->variance += weight * weight * (in + out);
}

void flow_add(struct flow *flow, const struct lifetime *lifetime, double weight, u32 now)
{
	struct lifetime site = *lifetime;
	struct window window;

	if (now < CYCLES_MIN)
		return;
	lifetime_advance(&site, now);
	window = window_at(site.width, now);
	for (u32 bucket = window.half; bucket < window.end; bucket++) {
		u64 in, out;

		count_flows(&site, window.age, bucket, &in, &out);
		flow_sum_add(&flow->half, (double)in, (double)out, weight);
		if (bucket >= window.quarter)
			flow_sum_add(&flow->quarter, (double)in, (double)out, weight);
	}
}

static bool beyond_chance(const struct flow_sum *sum, double threshold)
{
	return sum->net > threshold * sqrt(sum->variance);
}

enum verdict verdict_of(const struct survival *survival, const struct flow *flow, u32 tenure)
{
	struct survival_point point;

	if (survival->samples < SAMPLES_MIN)
		return VERDICT_UNKNOWN;
	if (beyond_chance(&flow->half, GROWTH_HALF) && beyond_chance(&flow->quarter, GROWTH_QUARTER))
		return VERDICT_GROWING;
	survival_at(survival, 1, TRANSIENT_RISK, &point);
	if (point.upper < TRANSIENT_MAX)
		return VERDICT_TRANSIENT;
	for (u32 k = lifetime_class(tenure); k < LIFETIME_CLASSES; k++)
		if (survival->died[k] + survival->ended[k] > 0)
			return VERDICT_STEADY;
	return VERDICT_MIXED;
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {"unknown", "transient", "growing", "steady", "mixed"};

	return names[verdict];
}

double verdict_growth(const struct flow *flow, const struct lifetime_clock *clock, u32 now, double *ret_error)
{
	struct window window;
	u64 start, end;

	*ret_error = 0;
	if (now < CYCLES_MIN || !clock->width || now / clock->width >= LIFETIME_BUCKETS)
		return 0;
	window = window_at(clock->width, now);
	/* Where who entered was born: in a heap that grows cycles become longer, and those of their births were shorter. */
	start = clock->start[window.half - window.age];
	end = clock->start[window.end - window.age];
	if (end <= start) /* it stood still, or was read from a damaged file */
		return 0;
	*ret_error = sqrt(flow->half.variance) / (double)(end - start);
	return flow->half.net / (double)(end - start);
}

double verdict_time_left(double growth, u64 used, u64 limit)
{
	if (used >= limit)
		return 0;
	return growth > 0 ? (double)(limit - used) / growth : INFINITY;
}
