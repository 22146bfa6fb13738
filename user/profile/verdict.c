/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words from survival and flows. Pure functions; see verdict.h. */
#include "profile/verdict.h"

#include <math.h>
#include <string.h>

#define SAMPLES_MIN    20
#define TRANSIENT_MAX  0.05
#define TRANSIENT_RISK 0.10 /* both sides together, of which one counts */

/* By weight a few samples of the smallest objects may outweigh all others, and then no number of samples is enough. */
static bool is_transient(const struct survival *survival)
{
	struct survival_point point;

	if (survival_estimate(survival, 1) >= TRANSIENT_MAX)
		return false;
	survival_at(survival, 1, TRANSIENT_RISK, &point);
	return fmin(point.upper, survival_upper_by_count(survival, TRANSIENT_RISK / 2)) < TRANSIENT_MAX;
}

static bool has_tenured(const struct survival *survival, u32 tenure)
{
	for (u32 k = lifetime_class(tenure); k < LIFETIME_CLASSES; k++)
		if (survival->died[k] + survival->ended[k] > 0)
			return true;
	return false;
}

enum verdict verdict_of(const struct survival *survival, const struct flow_trend *trend, u32 ticks, u32 tenure)
{
	bool due = ticks >= VERDICT_TICKS;

	if (survival->samples < SAMPLES_MIN)
		return VERDICT_UNKNOWN;
	if (due && trend->stays)
		return VERDICT_GROWING;
	if (due && trend->may_enter)
		return VERDICT_EARLY;
	if (is_transient(survival))
		return VERDICT_TRANSIENT;
	if (survival->died_young && !survival->lived)
		return VERDICT_UNKNOWN;
	if (!due)
		return VERDICT_EARLY;
	if (trend->rises)
		return trend->enters ? VERDICT_FILLING : VERDICT_EARLY;
	return trend->old || has_tenured(survival, tenure) ? VERDICT_STEADY : VERDICT_MIXED;
}

static const char *const names[] = {"unknown", "transient", "growing", "filling", "steady", "mixed", "too early"};

const char *verdict_name(enum verdict verdict)
{
	return names[verdict];
}

enum verdict verdict_find(const char *name)
{
	for (enum verdict verdict = VERDICT_UNKNOWN; verdict <= VERDICT_EARLY; verdict++)
		if (!strcmp(name, names[verdict]))
			return verdict;
	return VERDICT_UNKNOWN;
}

double verdict_growth(const struct flow_trend *trend, const u64 clock[LIFETIME_BUCKETS], double *ret_error)
{
	/* In which time those who entered were born. */
	u64 start = clock[trend->first], end = clock[trend->end];

	*ret_error = 0;
	if (end <= start) /* it stood still, or was read from a damaged file */
		return 0;
	*ret_error = sqrt(trend->variance) / (double)(end - start);
	return trend->net / (double)(end - start);
}
