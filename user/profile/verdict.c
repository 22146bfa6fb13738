/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The old class's flows from a site's buckets of time, and what follows from them. Pure functions; see verdict.h. */
#include "profile/verdict.h"

#include <math.h>

#define SAMPLES_MIN    20
#define CYCLES_MIN     40
#define GROWTH_WHOLE   2.6
#define GROWTH_LATE    1.3
#define TRANSIENT_MAX  0.05
#define TRANSIENT_RISK 0.10 /* both sides together, of which one counts */

/* In whole buckets that are complete: the flows are counted in [first, end), and again in [middle, end). */
struct window {
	u32 age; /* the old class: born so many whole buckets ago or more */
	u32 first, middle, end;
};

/* So many buckets as are that part of the cycles, or more. */
static u32 part(u32 now, u32 parts, u32 width)
{
	return (u32)ceil((double)now / parts / width);
}

/* Those who enter the old class were born when a quarter of the cycles had passed: what was full by then is no inflow. */
static struct window window_at(u32 now)
{
	u32 width = lifetime_width(now);
	struct window window = {.age = part(now, 3, width), .end = now / width};

	window.first = part(now, 4, width) + window.age;
	window.middle = (window.first + window.end) / 2;
	return window;
}

/*
 * Who was born in bucket `bucket - age` and is alive at the end of `bucket` enters, being older than `age` buckets then
 * whenever it was born. Who was older already when `bucket` began and dies in it leaves. Full counts may contradict.
 */
static struct flow_sum count_flow(const struct lifetime *lifetime, u32 age, u32 bucket)
{
	u32 birth = bucket - age;
	double in = lifetime->born[birth], out = 0;

	for (u32 death = birth; death <= bucket; death++)
		in = fmax(in - lifetime->gone[lifetime_cell(birth, death)], 0);
	for (u32 older = 0; older < birth; older++)
		out += lifetime->gone[lifetime_cell(older, bucket)];
	return (struct flow_sum){.net = in - out, .variance = in + out};
}

static void flow_sum_add(struct flow_sum *sum, struct flow_sum more, double weight)
{
	sum->net += weight * more.net;
	sum->variance += weight * weight * more.variance;
}

void flow_add(struct flow *flow, const struct lifetime *lifetime, double weight, u32 now)
{
	struct lifetime site = *lifetime;
	struct window window = window_at(now);

	if (now < CYCLES_MIN)
		return;
	lifetime_advance(&site, now);
	for (u32 bucket = window.first; bucket < window.end; bucket++) {
		struct flow_sum counted = count_flow(&site, window.age, bucket);

		flow_sum_add(&flow->whole, counted, weight);
		if (bucket >= window.middle)
			flow_sum_add(&flow->late, counted, weight);
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
	if (beyond_chance(&flow->whole, GROWTH_WHOLE) && beyond_chance(&flow->late, GROWTH_LATE))
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

double verdict_growth(const struct flow *flow, const u64 clock[LIFETIME_BUCKETS], u32 now, double *ret_error)
{
	struct window window = window_at(now);
	/* Where who entered was born: in a heap that grows cycles become longer, and those of their births were shorter. */
	u64 start = clock[window.first - window.age], end = clock[window.end - window.age];

	*ret_error = 0;
	if (now < CYCLES_MIN || end <= start) /* it stood still, or was read from a damaged file */
		return 0;
	*ret_error = sqrt(flow->whole.variance) / (double)(end - start);
	return flow->whole.net / (double)(end - start);
}
