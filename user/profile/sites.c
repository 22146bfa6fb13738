/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locations are numbered by site, then samples are added up; their lifetimes one site after the other, since a sum of them
 * takes kilobytes and there may be a million sites.
 */
#include "profile/sites.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "profile/estimate.h"

static int compare_u64(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

static int compare_text(const char *a, const char *b)
{
	/* In a profile equal texts are one, and names can be long. */
	return a == b ? 0 : strcmp(a ? a : "", b ? b : "");
}

/* 0 when two locations belong to one site: same physical function, same line at the leaf; unnamed ones by address. */
static int compare_site(const struct profile_location *a, const struct profile_location *b)
{
	int order;

	if (!a->line_count || !b->line_count) {
		if (a->line_count || b->line_count)
			return a->line_count ? -1 : 1;
		return compare_u64(a->address, b->address);
	}
	order = compare_text(a->lines[a->line_count - 1].system_name, b->lines[b->line_count - 1].system_name);
	order = order ? order : compare_text(a->lines[0].file, b->lines[0].file);
	return order ? order : compare_u64(a->lines[0].line, b->lines[0].line);
}

static int compare_location(const void *a, const void *b)
{
	const struct profile_location *const *left = a, *const *right = b;
	int order = compare_site(*left, *right);

	return order ? order : compare_u64((u64)(uintptr_t)*left, (u64)(uintptr_t)*right);
}

/* ret_site[i] becomes the number of the site that location i belongs to; *ret_count their number. */
static int number_sites(const struct profile *profile, u32 *ret_site, u32 *ret_count)
{
	const struct profile_location **sorted;
	u32 count = 0;

	sorted = calloc(profile->location_count + 1UL, sizeof(const struct profile_location *));
	if (!sorted)
		return -ENOMEM;
	for (u32 i = 0; i < profile->location_count; i++)
		sorted[i] = &profile->locations[i];
	qsort(sorted, profile->location_count, sizeof(const struct profile_location *), compare_location);
	for (u32 i = 0; i < profile->location_count; i++) {
		if (i && compare_site(sorted[i - 1], sorted[i]))
			count++;
		ret_site[sorted[i] - profile->locations] = count;
	}
	*ret_count = profile->location_count ? count + 1 : 0;
	free(sorted);
	return 0;
}

/* Adds a sample to its site; stderr_value holds variances until the end. *heaviest is its example's value. */
static void add_sample(const struct profile *profile, const struct profile_sample *sample, enum measure by,
		       struct profile_site *site, u64 *heaviest)
{
	u64 inuse_count = profile->alloc_only ? 0 : sample->inuse_count;
	u64 count[MEASURE_MAX] = {sample->alloc_count, sample->alloc_count, inuse_count, inuse_count};
	u64 value[MEASURE_MAX];

	profile_sample_values(profile, sample, value);
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		site->value[m] += value[m];
		site->stderr_value[m] += (measure_is_space(m) ? estimate_variance_bytes : estimate_variance_objects)(
			count[m], sample->size, profile->sample_bytes);
	}
	site->alloc_samples += sample->alloc_count;
	site->inuse_samples += inuse_count;
	if (!site->example || value[by] > *heaviest) {
		site->example = sample;
		site->leaf = sample->depth ? &profile->locations[sample->location[0]] : NULL;
		*heaviest = value[by];
	}
}

static void take_roots(struct profile_site *site)
{
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		site->stderr_value[m] = sqrt(site->stderr_value[m]);
}

struct profile_site profile_sites_sum(const struct profile *profile)
{
	struct profile_site sum = {0};
	u64 heaviest = 0;

	for (u32 i = 0; i < profile->sample_count; i++)
		add_sample(profile, &profile->samples[i], ALLOC_SPACE, &sum, &heaviest);
	take_roots(&sum);
	return sum;
}

static int compare_value(const void *a, const void *b, void *arg)
{
	const struct profile_site *left = a, *right = b;
	enum measure by = *(const enum measure *)arg;
	int order = compare_u64(right->value[by], left->value[by]);

	order = order ? order : compare_u64(right->value[ALLOC_SPACE], left->value[ALLOC_SPACE]);
	return order ? order : compare_u64((u64)(uintptr_t)left->leaf, (u64)(uintptr_t)right->leaf);
}

/* Drops sites without a sample, turns variances into standard errors, sorts; the number of sites left. */
static u32 finish_sites(struct profile_site *sites, u32 count, enum measure by)
{
	u32 kept = 0;

	for (u32 i = 0; i < count; i++) {
		if (!sites[i].example)
			continue;
		take_roots(&sites[i]);
		sites[kept++] = sites[i];
	}
	qsort_r(sites, kept, sizeof(*sites), compare_value, &by);
	return kept;
}

/* The samples of each site, as lists by their places plus one; 0 ends a list. */
struct members {
	u32 *first; /* of the site */
	u32 *next;  /* of the sample */
};

static int summarize_lifetimes(const struct profile *profile, const struct members *members, struct profile_site *sites,
			       u32 count)
{
	struct lifetime_sum *sum = malloc(sizeof(*sum));

	if (!sum)
		return -ENOMEM;
	for (u32 site = 0; site < count; site++) {
		if (!members->first[site])
			continue;
		*sum = (struct lifetime_sum){0};
		for (u32 place = members->first[site]; place; place = members->next[place - 1])
			lifetime_summary_add(sum, profile, &profile->samples[place - 1]);
		lifetime_summary_conclude(sum, profile, &sites[site].lifetime_summary);
	}
	free(sum);
	return 0;
}

/* From the last to the first, so that each list has them in the profile's order. */
static void list_members(const struct profile *profile, const u32 *site_of, u32 unknown, struct members *members)
{
	for (u32 place = profile->sample_count; place > 0; place--) {
		const struct profile_sample *sample = &profile->samples[place - 1];
		u32 *first = &members->first[sample->depth ? site_of[sample->location[0]] : unknown];

		members->next[place - 1] = *first;
		*first = place;
	}
}

int profile_sites(const struct profile *profile, enum measure by, struct profile_site **ret_sites, u32 *ret_count)
{
	u32 *site_of = calloc(profile->location_count + 1UL, sizeof(*site_of));
	struct members members = {0};
	struct profile_site *sites = NULL;
	u64 *heaviest = NULL;
	u32 count = 0;
	int err;

	err = site_of ? number_sites(profile, site_of, &count) : -ENOMEM;
	if (err)
		goto out;
	sites = calloc(count + 1UL, sizeof(*sites)); /* the last one: stack unknown */
	heaviest = calloc(count + 1UL, sizeof(*heaviest));
	members.first = calloc(count + 1UL, sizeof(*members.first));
	members.next = calloc(profile->sample_count + 1UL, sizeof(*members.next));
	if (!sites || !heaviest || !members.first || !members.next) {
		err = -ENOMEM;
		goto out;
	}
	for (u32 i = 0; i < profile->sample_count; i++) {
		const struct profile_sample *sample = &profile->samples[i];
		u32 site = sample->depth ? site_of[sample->location[0]] : count;

		add_sample(profile, sample, by, &sites[site], &heaviest[site]);
	}
	list_members(profile, site_of, count, &members);
	if (profile->model.known)
		err = summarize_lifetimes(profile, &members, sites, count + 1);
	if (!err) {
		*ret_count = finish_sites(sites, count + 1, by);
		*ret_sites = sites;
		sites = NULL;
	}
out:
	free(sites);
	free(members.first);
	free(members.next);
	free(heaviest);
	free(site_of);
	return err;
}
