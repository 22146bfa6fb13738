/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/overview.h"

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

int overview_make(const struct profile *profile, struct overview *ret_overview)
{
	struct overview *overview = ret_overview;
	int err;

	*overview = (struct overview){.profile = profile, .sums = profile_sites_sum(profile), .by = INUSE_SPACE};
	overview->losses = ledger_losses(profile->ledger);
	if (profile->alloc_only || !overview->sums.value[INUSE_SPACE])
		overview->by = ALLOC_SPACE;
	err = profile_sites(profile, overview->by, &overview->sites, &overview->site_count);
	while (!err && overview->site_count && !overview->sites[overview->site_count - 1].value[overview->by])
		overview->site_count--;
	if (!err)
		err = find_growing(overview);
	if (!err && profile->model.known)
		err = lifetime_summary_of_process(profile, &overview->process);
	return err;
}

void overview_release(struct overview *overview)
{
	free(overview->growing);
	free(overview->sites);
}
