/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each sample has a place, and places are numbered by site; then samples are added up, their lifetimes one site after the
 * other, since a sum of them takes kilobytes and there may be a million sites.
 */
#include "profile/sites.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"

static int compare_u64(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

const struct profile_line *profile_site_line(const struct profile_site *site)
{
	return site->location && site->location->line_count ? &site->location->lines[site->line] : NULL;
}

/* --- places --- */

struct place {
	u32 frame, line;
};

static enum frame_role role_of(const struct profile_location *location, u32 line)
{
	return location->line_count ? location->lines[line].role : location->role;
}

/* The first line with that role, from the leaf on. */
static bool find_role(const struct profile *profile, const struct profile_sample *sample, enum frame_role role,
		      struct place *ret_place)
{
	for (u32 frame = 0; frame < sample->depth; frame++) {
		const struct profile_location *location = &profile->locations[sample->location[frame]];

		for (u32 line = 0; !line || line < location->line_count; line++) {
			*ret_place = (struct place){frame, line};
			if (role_of(location, line) == role)
				return true;
		}
	}
	return false;
}

static struct place place_of(const struct profile *profile, const struct profile_sample *sample)
{
	struct place place;

	if (!find_role(profile, sample, FRAME_PROGRAM, &place) && !find_role(profile, sample, FRAME_LIBRARY, &place))
		place = (struct place){0};
	return place;
}

/* --- numbers --- */

/* The number of the site of a line, as it was asked for last: most samples of a location have the same one. */
struct known {
	u32 line, site; /* the number plus one; 0: not asked for yet */
};

struct numbering {
	struct intern sites;
	struct known *known; /* by location */
	u32 *site_of;	     /* by sample; those without a stack are in the last site of all */
};

/*
 * Same physical function and same line: one site. Code without names is told apart by address. In a profile equal texts are
 * one, and they may be long.
 */
static int number_line(struct numbering *numbering, const struct profile_location *location, u32 line, u32 *ret_site)
{
	struct intern_key key = {0};

	if (location->line_count) {
		intern_key_put_u64(&key, (u64)(uintptr_t)location->lines[location->line_count - 1].system_name);
		intern_key_put_u64(&key, (u64)(uintptr_t)location->lines[line].file);
		intern_key_put_u64(&key, location->lines[line].line);
	} else {
		intern_key_put_u64(&key, location->address);
	}
	return intern_add_key(&numbering->sites, &key, ret_site);
}

static int number_sample(const struct profile *profile, struct numbering *numbering, u32 index)
{
	const struct profile_sample *sample = &profile->samples[index];
	struct place place = place_of(profile, sample);
	u32 location = sample->location[place.frame], site;
	struct known *known = &numbering->known[location];

	if (!known->site || known->line != place.line) {
		if (number_line(numbering, &profile->locations[location], place.line, &site) < 0)
			return -ENOMEM;
		*known = (struct known){place.line, site + 1};
	}
	numbering->site_of[index] = known->site - 1;
	return 0;
}

/* *ret_site_of, which the caller frees, has the site's number of each sample; *ret_count is their number without the last. */
static int number_sites(const struct profile *profile, u32 **ret_site_of, u32 *ret_count)
{
	struct numbering numbering = {
		.known = calloc(profile->location_count + 1UL, sizeof(*numbering.known)),
		.site_of = calloc(profile->sample_count + 1UL, sizeof(*numbering.site_of)),
	};
	int err = numbering.known && numbering.site_of ? 0 : -ENOMEM;

	for (u32 i = 0; !err && i < profile->sample_count; i++)
		if (profile->samples[i].depth)
			err = number_sample(profile, &numbering, i);
	*ret_count = intern_count(&numbering.sites);
	for (u32 i = 0; !err && i < profile->sample_count; i++)
		if (!profile->samples[i].depth)
			numbering.site_of[i] = *ret_count;
	*ret_site_of = numbering.site_of;
	intern_release(&numbering.sites);
	free(numbering.known);
	return err;
}

/* --- sums --- */

static void set_place(const struct profile *profile, const struct profile_sample *sample, struct profile_site *site)
{
	struct place place = place_of(profile, sample);

	site->line = place.line;
	site->frame = place.frame;
	site->location = sample->depth ? &profile->locations[sample->location[place.frame]] : NULL;
}

/* Adds a sample to its site; stderr_value holds variances until the end. *heaviest is its example's value. */
static void add_sample(const struct profile *profile, const struct profile_sample *sample, enum measure by,
		       struct profile_site *site, u64 *heaviest)
{
	double variance[MEASURE_MAX];
	u64 value[MEASURE_MAX];

	profile_sample_values(profile, sample, value);
	profile_sample_variances(profile, sample, variance);
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		site->value[m] += value[m];
		site->stderr_value[m] += variance[m];
	}
	site->alloc_samples += sample->alloc_count;
	site->inuse_samples += profile->alloc_only ? 0 : sample->inuse_count;
	if (!site->example || value[by] > *heaviest) {
		site->example = sample;
		set_place(profile, sample, site);
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
	return order ? order : compare_u64((u64)(uintptr_t)left->location, (u64)(uintptr_t)right->location);
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

static int summarize_lifetimes(const struct profile *profile, const struct members *members,
			       enum sites_lifetimes lifetimes, struct profile_site *sites, u32 count)
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
		(lifetimes == SITES_LIFETIMES_WHOLE ? lifetime_summary_conclude : lifetime_summary_judge)(
			sum, profile, &sites[site].lifetime_summary);
	}
	free(sum);
	return 0;
}

/* From the last to the first, so that each list has them in the profile's order. */
static void list_members(const struct profile *profile, const u32 *site_of, struct members *members)
{
	for (u32 place = profile->sample_count; place > 0; place--) {
		u32 *first = &members->first[site_of[place - 1]];

		members->next[place - 1] = *first;
		*first = place;
	}
}

int profile_sites_with(const struct profile *profile, enum measure by, enum sites_lifetimes lifetimes,
		       struct profile_site **ret_sites, u32 *ret_count)
{
	struct members members = {0};
	struct profile_site *sites = NULL;
	u64 *heaviest = NULL;
	u32 *site_of = NULL, count = 0;
	int err = number_sites(profile, &site_of, &count);

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
		u32 site = site_of[i];

		add_sample(profile, &profile->samples[i], by, &sites[site], &heaviest[site]);
	}
	list_members(profile, site_of, &members);
	if (lifetimes != SITES_LIFETIMES_NONE && profile->model.known)
		err = summarize_lifetimes(profile, &members, lifetimes, sites, count + 1);
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

int profile_sites(const struct profile *profile, enum measure by, struct profile_site **ret_sites, u32 *ret_count)
{
	return profile_sites_with(profile, by, SITES_LIFETIMES_WHOLE, ret_sites, ret_count);
}

/* A site's number is that of its example. */
int profile_sites_members(const struct profile *profile, const struct profile_site *sites, u32 count, u32 **ret_site_of)
{
	u32 numbers, *place;
	int err = number_sites(profile, ret_site_of, &numbers);

	place = err ? NULL : calloc(numbers + 1UL, sizeof(*place));
	if (!place) {
		free(*ret_site_of);
		*ret_site_of = NULL;
		return -ENOMEM;
	}
	for (u32 i = 0; i <= numbers; i++)
		place[i] = count;
	for (u32 i = 0; i < count; i++)
		place[(*ret_site_of)[sites[i].example - profile->samples]] = i;
	for (u32 i = 0; i < profile->sample_count; i++)
		(*ret_site_of)[i] = place[(*ret_site_of)[i]];
	free(place);
	return 0;
}
