/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From records of lifetimes to conclusions. The profile must be complete. */
#include "profile/lifetime_summary.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "profile/estimate.h"

void lifetime_summary_add(struct lifetime_sum *sum, const struct profile *profile, const struct profile_sample *sample)
{
	double p = estimate_probability(sample->size, profile->sample_bytes);
	double bytes = (double)(sample->size ? sample->size : 1) / p;
	struct lifetime lifetime;

	if (!sample->lifetime)
		return;
	if (!sum->objects.samples)
		sum->size = sample->size;
	sum->sizes_differ = sum->sizes_differ || sum->size != sample->size;
	lifetime = lifetime_unpack(sample->lifetime);
	survival_add(&sum->objects, &lifetime, 1 / p);
	survival_add(&sum->bytes, &lifetime, bytes);
	flow_add(&sum->flow, &lifetime, bytes, profile->model.ticks);
}

static double median_of(const struct survival *survival)
{
	double cycles;

	return survival_median(survival, &cycles) ? cycles : NAN;
}

void lifetime_summary_judge(const struct lifetime_sum *sum, const struct profile *profile,
			    struct lifetime_summary *ret_summary)
{
	const struct profile_model *model = &profile->model;
	struct flow_trend trend;
	double error;

	*ret_summary = (struct lifetime_summary){.samples = sum->objects.samples};
	ret_summary->objects.median_cycles = median_of(&sum->objects);
	/* Shares do not depend on the weight that all have. */
	ret_summary->bytes.median_cycles =
		sum->sizes_differ ? median_of(&sum->bytes) : ret_summary->objects.median_cycles;
	flow_conclude(&sum->flow, model->ticks, &trend);
	ret_summary->verdict = verdict_of(&sum->objects, &trend, model->ticks, model->tenure);
	if (ret_summary->verdict != VERDICT_GROWING) {
		/* Without cycles there are no ages, and so nothing but growth to tell. */
		if (!model->gogc_percent)
			ret_summary->verdict = VERDICT_UNKNOWN;
		return;
	}
	ret_summary->growth = 1e9 * verdict_growth(&trend, model->clock_ns, &error);
	ret_summary->growth_error = 1e9 * error;
}

static void add_bands(const struct survival *survival, u32 tenure, struct lifetime_summary_survival *ret)
{
	survival_at(survival, lifetime_class(1), LIFETIME_SUMMARY_RISK, &ret->young);
	survival_at(survival, lifetime_class(tenure), LIFETIME_SUMMARY_RISK, &ret->tenured);
}

void lifetime_summary_conclude(const struct lifetime_sum *sum, const struct profile *profile,
			       struct lifetime_summary *ret_summary)
{
	lifetime_summary_judge(sum, profile, ret_summary);
	add_bands(&sum->objects, profile->model.tenure, &ret_summary->objects);
	if (sum->sizes_differ)
		add_bands(&sum->bytes, profile->model.tenure, &ret_summary->bytes);
	else
		ret_summary->bytes = ret_summary->objects;
}

int lifetime_summary_of_process(const struct profile *profile, struct lifetime_summary *ret_summary)
{
	struct lifetime_sum *sum = calloc(1, sizeof(*sum));

	if (!sum)
		return -ENOMEM;
	for (u32 i = 0; i < profile->sample_count; i++)
		lifetime_summary_add(sum, profile, &profile->samples[i]);
	lifetime_summary_conclude(sum, profile, ret_summary);
	free(sum);
	return 0;
}

double lifetime_summary_cycle_ns(const struct profile *profile)
{
	return profile->model.cycles ? (double)profile->model.cycles_ns / profile->model.cycles : 0;
}

double lifetime_summary_cycle_bytes(const struct profile *profile)
{
	return profile->model.cycles ? profile->model.cycles_bytes / profile->model.cycles : 0;
}

double lifetime_summary_median_ns(const struct profile *profile, const struct lifetime_summary *summary)
{
	double cycles = summary->objects.median_cycles;

	if (!summary->samples || !profile->model.cycles)
		return NAN;
	return isnan(cycles) ? INFINITY : cycles * lifetime_summary_cycle_ns(profile);
}

double lifetime_summary_time_left(const struct profile *profile, const struct lifetime_summary *summary)
{
	if (!profile->memory_limit || profile->exited || !(summary->growth > 0))
		return INFINITY;
	if (profile->memory_used >= profile->memory_limit)
		return 0;
	return (double)(profile->memory_limit - profile->memory_used) / summary->growth;
}

u64 lifetime_summary_older(const struct profile *profile, const struct profile_sample *sample, u64 age_ns)
{
	struct lifetime lifetime = lifetime_unpack(sample->lifetime);
	u64 older = 0;

	for (u32 class = 0; class < LIFETIME_CLASSES; class ++)
		if (profile->model.age_ns[class] >= age_ns)
			older += lifetime.ended[class];
	return older;
}
