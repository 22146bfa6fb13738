/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/difference.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *difference_state_name(enum difference_state state)
{
	static const char *const names[] = {
		[DIFFERENCE_SAME] = "same",   [DIFFERENCE_NEW] = "new",	      [DIFFERENCE_GONE] = "gone",
		[DIFFERENCE_GROWN] = "grown", [DIFFERENCE_SHRUNK] = "shrunk",
	};

	return names[state];
}

static u64 value_of(const struct profile_site *site, enum measure measure)
{
	return site ? site->value[measure] : 0;
}

static double error_of(const struct profile_site *site, enum measure measure)
{
	return site ? site->stderr_value[measure] : 0;
}

static enum difference_state state_of(const struct difference *difference, const struct difference_site *site)
{
	u64 before = value_of(site->before, difference->by), after = value_of(site->after, difference->by);

	if (before == after)
		return DIFFERENCE_SAME;
	if (!before || !after)
		return before ? DIFFERENCE_GONE : DIFFERENCE_NEW;
	return before < after ? DIFFERENCE_GROWN : DIFFERENCE_SHRUNK;
}

static void compare(const struct difference *difference, struct difference_site *site)
{
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		site->change[m] = (double)value_of(site->after, m) - (double)value_of(site->before, m);
		site->change_error[m] = hypot(error_of(site->after, m), error_of(site->before, m));
	}
	site->state = state_of(difference, site);
}

static int compare_names(const struct site_name *a, const struct site_name *b)
{
	int order = a->function == b->function ? 0 : strcmp(a->function, b->function);

	order = order || a->file == b->file ? order : strcmp(a->file, b->file);
	if (order || a->line == b->line)
		return order;
	return a->line < b->line ? -1 : 1;
}

static int compare_change(const void *a, const void *b, void *arg)
{
	const struct difference *difference = arg;
	const enum measure order[] = {difference->by, ALLOC_SPACE};
	const struct difference_site *left = a, *right = b;

	for (unsigned int i = 0; i < 2; i++) {
		double l = fabs(left->change[order[i]]), r = fabs(right->change[order[i]]);

		if (l != r)
			return l > r ? -1 : 1;
	}
	return compare_names(&left->name, &right->name);
}

/* The sites of one of the two are put in their places, by their numbers. */
static int place(struct difference *difference, const struct profile *profile, const struct profile_site *sites,
		 u32 count)
{
	for (u32 i = 0; i < count; i++) {
		struct difference_site *site;
		u32 number;

		if (site_table_number(&difference->table, profile, &sites[i], &number))
			return -ENOMEM;
		site = &difference->sites[number];
		*(sites == difference->after_sites ? &site->after : &site->before) = &sites[i];
	}
	return 0;
}

/* Also of sites that cannot be told apart by name. */
static void sum_up(struct difference *difference)
{
	struct profile_site before = profile_sites_sum(difference->before),
			    after = profile_sites_sum(difference->after);

	difference->sum = (struct difference_site){.before = &before, .after = &after};
	compare(difference, &difference->sum);
	difference->sum.before = difference->sum.after = NULL;
}

int difference_make(const struct profile *before, const struct profile *after, struct difference *ret_difference)
{
	struct difference *difference = ret_difference;
	u32 old = 0, new = 0;
	int err;

	*difference = (struct difference){.before = before, .after = after};
	difference->by = before->alloc_only || after->alloc_only ? ALLOC_SPACE : INUSE_SPACE;
	err = profile_sites_with(before, INUSE_SPACE, SITES_LIFETIMES_NONE, &difference->before_sites, &old);
	err = err ? err : profile_sites_with(after, INUSE_SPACE, SITES_LIFETIMES_NONE, &difference->after_sites, &new);
	if (err)
		return err;
	difference->sites = calloc((u64)old + new + 1, sizeof(*difference->sites));
	err = difference->sites ? place(difference, before, difference->before_sites, old) : -ENOMEM;
	err = err ? err : place(difference, after, difference->after_sites, new);
	if (err)
		return err;
	difference->count = difference->table.count;
	for (u32 i = 0; i < difference->count; i++) {
		difference->sites[i].name = difference->table.names[i];
		compare(difference, &difference->sites[i]);
	}
	qsort_r(difference->sites, difference->count, sizeof(*difference->sites), compare_change, difference);
	sum_up(difference);
	return 0;
}

void difference_release(struct difference *difference)
{
	site_table_release(&difference->table);
	free(difference->sites);
	free(difference->before_sites);
	free(difference->after_sites);
}
