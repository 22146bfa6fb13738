/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/survival_curve.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "profile/estimate.h"

static void add_sample(const struct profile *profile, const struct profile_sample *sample, struct survival *survival)
{
	struct lifetime lifetime;

	if (!sample->lifetime)
		return;
	lifetime = lifetime_unpack(sample->lifetime);
	survival_add(survival, &lifetime, 1 / estimate_probability(sample->size, profile->sample_bytes));
}

/* The last age seen, where the next class has not begun yet. */
static u64 age_of(const struct profile_model *model, u32 class)
{
	return class && !model->age_ns[class] ? model->cycles_ns : model->age_ns[class];
}

/* Where nothing is at risk any more there is nothing to say, but that the last ones have died. */
static void conclude(const struct profile *profile, const struct survival *survival, struct survival_curve *curve)
{
	double before = 1;

	*curve = (struct survival_curve){.median_cycles = NAN, .median_ns = NAN};
	for (u32 class = 0; class < LIFETIME_CLASSES; class ++) {
		struct survival_point at;

		survival_at(survival, class, LIFETIME_SUMMARY_RISK, &at);
		if (at.at_risk <= 0 && at.estimate >= before)
			break;
		curve->points[curve->count++] = (struct survival_curve_point){.age_cycles = lifetime_class_start(class),
									      .age_ns = age_of(&profile->model, class),
									      .estimate = at.estimate,
									      .lower = at.lower,
									      .upper = at.upper,
									      .at_risk = at.at_risk};
		before = at.estimate;
	}
	if (curve->count && survival_median(survival, &curve->median_cycles))
		curve->median_ns = curve->median_cycles * lifetime_summary_cycle_ns(profile);
}

void survival_curve_make(const struct profile *profile, struct survival_curve *ret_curve)
{
	struct survival survival = {0};

	for (u32 i = 0; i < profile->sample_count; i++)
		add_sample(profile, &profile->samples[i], &survival);
	conclude(profile, &survival, ret_curve);
}

int survival_curves_make(const struct profile *profile, const struct profile_site *sites, u32 count,
			 struct survival_curve **ret_curves)
{
	struct survival *survivals = calloc(count + 1UL, sizeof(*survivals));
	struct survival_curve *curves = calloc(count + 1UL, sizeof(*curves));
	u32 *site_of = NULL;
	int err = survivals && curves ? profile_sites_members(profile, sites, count, &site_of) : -ENOMEM;

	for (u32 i = 0; !err && i < profile->sample_count; i++)
		if (site_of[i] < count)
			add_sample(profile, &profile->samples[i], &survivals[site_of[i]]);
	for (u32 i = 0; !err && i < count; i++)
		conclude(profile, &survivals[i], &curves[i]);
	free(site_of);
	free(survivals);
	*ret_curves = curves;
	if (err) {
		free(curves);
		*ret_curves = NULL;
	}
	return err;
}
