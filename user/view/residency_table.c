/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/residency_table.h"

#include <errno.h>
#include <stdlib.h>

static int by_resident(const void *a, const void *b)
{
	const struct residency_row *one = a, *two = b;

	if (one->sum.resident != two->sum.resident)
		return one->sum.resident < two->sum.resident ? 1 : -1;
	return (one->site > two->site) - (one->site < two->site);
}

static void add_samples(const struct profile *profile, const u32 *site_of, u32 sites, struct residency_table *table)
{
	for (u32 i = 0; i < profile->sample_count; i++) {
		residency_sum_add(&table->all, profile, &profile->samples[i]);
		if (site_of[i] < sites)
			residency_sum_add(&table->rows[site_of[i]].sum, profile, &profile->samples[i]);
	}
}

/* Those that were looked at, in order. */
static void sort(struct residency_table *table, u32 sites)
{
	for (u32 i = 0; i < sites; i++)
		if (table->rows[i].sum.objects)
			table->rows[table->count++] = (struct residency_row){&table->sites[i], table->rows[i].sum};
	qsort(table->rows, table->count, sizeof(*table->rows), by_resident);
}

static bool is_known(const struct profile *profile)
{
	for (u32 i = 0; i < profile->sample_count; i++)
		if (profile->samples[i].residency)
			return true;
	return false;
}

int residency_table_make(const struct profile *profile, struct residency_table *ret_table)
{
	u32 *site_of = NULL, sites = 0;
	int err;

	*ret_table = (struct residency_table){0};
	if (!is_known(profile))
		return 0;
	err = profile_sites_with(profile, INUSE_SPACE, SITES_LIFETIMES_NONE, &ret_table->sites, &sites);
	err = err ? err : profile_sites_members(profile, ret_table->sites, sites, &site_of);
	ret_table->rows = err ? NULL : calloc(sites + 1UL, sizeof(*ret_table->rows));
	if (ret_table->rows) {
		add_samples(profile, site_of, sites, ret_table);
		sort(ret_table, sites);
	}
	free(site_of);
	return ret_table->rows ? 0 : -ENOMEM;
}

void residency_table_release(struct residency_table *table)
{
	free(table->rows);
	free(table->sites);
	*table = (struct residency_table){0};
}
