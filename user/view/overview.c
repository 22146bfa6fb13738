/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/overview.h"

#include <errno.h>
#include <stdlib.h>

static int compare_growth(const void *a, const void *b)
{
	const struct profile_site *left = *(const struct profile_site *const *)a;
	const struct profile_site *right = *(const struct profile_site *const *)b;

	if (left->lifetime_summary.growth != right->lifetime_summary.growth)
		return left->lifetime_summary.growth > right->lifetime_summary.growth ? -1 : 1;
	return left < right ? -1 : left > right;
}

static int find_growing(struct overview *overview)
{
	overview->growing = calloc(overview->site_count + 1UL, sizeof(*overview->growing));
	if (!overview->growing)
		return -ENOMEM;
	for (u32 i = 0; i < overview->site_count; i++)
		if (overview->sites[i].lifetime_summary.verdict == VERDICT_GROWING)
			overview->growing[overview->growing_count++] = &overview->sites[i];
	qsort(overview->growing, overview->growing_count, sizeof(*overview->growing), compare_growth);
	return 0;
}

static int make(const struct profile *profile, enum measure by, enum sites_lifetimes lifetimes,
		struct overview *overview)
{
	int err;

	*overview = (struct overview){.profile = profile, .sums = profile_sites_sum(profile), .by = by};
	overview->losses = ledger_losses(profile->ledger);
	err = profile_sites_with(profile, by, lifetimes, &overview->sites, &overview->all_count);
	overview->site_count = overview->all_count;
	while (!err && overview->site_count && !overview->sites[overview->site_count - 1].value[by])
		overview->site_count--;
	if (!err)
		err = find_growing(overview);
	if (!err && profile->model.known)
		err = lifetime_summary_of_process(profile, &overview->process);
	return err;
}

static enum measure choose_measure(const struct profile *profile)
{
	u64 total[MEASURE_MAX];

	profile_totals(profile, total);
	return profile->alloc_only || !total[INUSE_SPACE] ? ALLOC_SPACE : INUSE_SPACE;
}

int overview_make_by(const struct profile *profile, enum measure by, struct overview *ret_overview)
{
	return make(profile, by, SITES_LIFETIMES_WHOLE, ret_overview);
}

int overview_make(const struct profile *profile, struct overview *ret_overview)
{
	return make(profile, choose_measure(profile), SITES_LIFETIMES_WHOLE, ret_overview);
}

int overview_make_brief(const struct profile *profile, struct overview *ret_overview)
{
	return make(profile, choose_measure(profile), SITES_LIFETIMES_VERDICTS, ret_overview);
}

void overview_release(struct overview *overview)
{
	free(overview->growing);
	free(overview->sites);
}
