/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/overhead.h"

#include <math.h>

double overhead_percent(double cost_ns, double cpu_ns)
{
	return cpu_ns > 0 ? 100 * cost_ns / cpu_ns : 0;
}

double overhead_bias(double percent)
{
	double assumed = 1 - percent / 100, least = 1 - (1 + OVERHEAD_COST_ERROR) * percent / 100;

	return least > 0 ? assumed / least - 1 : HUGE_VAL;
}

/* What the traps cost for each unit of work: that is what fewer windows divide. */
static double per_work(double percent)
{
	return percent < 100 ? percent / (100 - percent) : HUGE_VAL;
}

/* So many times fewer windows, a power of two, that the same load would cost no more than the limit. */
static u32 wanted_scale(const struct overhead *overhead, double percent)
{
	double cost = per_work(percent) / 2, limit = per_work(overhead->limit_percent);
	u32 scale = overhead->scale * 2;

	for (; cost > limit && scale < OVERHEAD_SCALE_MAX; cost /= 2)
		scale *= 2;
	return scale;
}

static bool can_window(const struct overhead *overhead, double percent)
{
	return overhead->scale == 1 ? percent <= OVERHEAD_WINDOWED_MAX : overhead->scale < OVERHEAD_SCALE_MAX;
}

bool overhead_inline_helps(const struct overhead *overhead)
{
	return overhead->go_percent <= overhead->limit_percent;
}

static enum overhead_step reduce(struct overhead *overhead, double percent)
{
	overhead->calm = 0;
	if (overhead->may_hint && overhead_inline_helps(overhead)) {
		overhead->may_hint = false;
		return OVERHEAD_HINT;
	}
	if (overhead->may_end_frees) {
		overhead->may_end_frees = false;
		return OVERHEAD_END_FREES;
	}
	if (overhead->may_window && can_window(overhead, percent)) {
		overhead->scale = wanted_scale(overhead, percent);
		return OVERHEAD_RARER;
	}
	overhead->detached = true;
	return OVERHEAD_DETACH;
}

enum overhead_step overhead_decide(struct overhead *overhead, double percent)
{
	if (!overhead->limit_percent || overhead->detached)
		return OVERHEAD_KEEP;
	if (percent > overhead->limit_percent)
		return reduce(overhead, percent);
	if (overhead->scale == 1 || 2 * percent > OVERHEAD_CALM_SHARE * overhead->limit_percent)
		overhead->calm = 0;
	else if (++overhead->calm == OVERHEAD_CALM_INTERVALS) {
		overhead->calm = 0;
		overhead->scale /= 2;
		return OVERHEAD_DENSER;
	}
	return OVERHEAD_KEEP;
}
