/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Release and sums; what fills the tables is in heap/snapshot.c, format/pprof_read.c and merge.c. */
#include "profile/profile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/estimate.h"

int profile_text(struct profile *profile, const char *text, char **ret_text)
{
	const struct interned *entry;
	size_t size = text ? strlen(text) + 1 : 0;

	*ret_text = NULL;
	if (!text)
		return 0;
	if (size > UINT32_MAX || intern_add(&profile->texts, text, (u32)size, &entry) < 0)
		return -ENOMEM;
	*ret_text = (char *)entry->bytes;
	return 0;
}

void profile_lines_release(struct profile_location *location)
{
	free(location->lines);
	location->lines = NULL;
	location->line_count = 0;
}

void profile_labels_release(struct profile_labels *labels)
{
	free(labels->comm);
	free(labels->container);
	free(labels->container_id);
}

static void forget_tables(struct profile *profile)
{
	profile->mappings = NULL;
	profile->locations = NULL;
	profile->samples = NULL;
	profile->labels = NULL;
	profile->texts = (struct intern){0};
	profile->mapping_count = profile->location_count = profile->sample_count = profile->label_count = 0;
}

void profile_strip(struct profile *profile)
{
	for (u32 i = 0; profile->mappings && i < profile->mapping_count; i++)
		free(profile->mappings[i].path);
	for (u32 i = 0; profile->locations && i < profile->location_count; i++)
		profile_lines_release(&profile->locations[i]);
	for (u32 i = 0; profile->samples && i < profile->sample_count; i++) {
		free(profile->samples[i].location);
		free(profile->samples[i].lifetime);
	}
	for (u32 i = 0; profile->labels && i < profile->label_count; i++)
		profile_labels_release(&profile->labels[i]);
	free(profile->mappings);
	free(profile->locations);
	free(profile->samples);
	free(profile->labels);
	intern_release(&profile->texts);
	forget_tables(profile);
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	profile_strip(profile);
	free(profile->comm);
	free(profile->exe);
	free(profile->cgroup);
	free(profile->container);
	free(profile->container_name);
	free(profile->stem);
	free(profile);
}

struct profile *profile_copy_facts(const struct profile *profile)
{
	struct profile *facts = calloc(1, sizeof(*facts));
	char **strings[] = {&facts->comm,	    &facts->exe, &facts->cgroup, &facts->container,
			    &facts->container_name, &facts->stem};
	bool out_of_memory = false;

	if (!facts)
		return NULL;
	*facts = *profile;
	forget_tables(facts);
	for (u32 i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		char *copy = *strings[i] ? strdup(*strings[i]) : NULL;

		out_of_memory |= *strings[i] && !copy;
		*strings[i] = copy;
	}
	if (!out_of_memory)
		return facts;
	profile_free(facts);
	return NULL;
}

const char *profile_build_id(const struct profile_mapping *mapping, char text[PROFILE_BUILD_ID_SIZE])
{
	*text = '\0';
	for (u8 i = 0; i < mapping->build_id_size; i++)
		snprintf(text + 2 * i, 3, "%02x", mapping->build_id[i]);
	return text;
}

struct profile_exit profile_exit_of(u32 wait_status, bool oom_victim)
{
	u8 signal = wait_status & 0x7f;

	return (struct profile_exit){
		.known = true,
		.oom_killed = oom_victim && signal == SIGKILL,
		.status = signal ? 0 : (u8)(wait_status >> 8),
		.signal = signal,
	};
}

/* --- measures and sums --- */

const char *const profile_measure_names[MEASURE_MAX + 1] = {
	[ALLOC_OBJECTS] = "alloc_objects",
	[ALLOC_SPACE] = "alloc_space",
	[INUSE_OBJECTS] = "inuse_objects",
	[INUSE_SPACE] = "inuse_space",
};

bool measure_is_inuse(enum measure measure)
{
	return measure == INUSE_OBJECTS || measure == INUSE_SPACE;
}

bool measure_is_space(enum measure measure)
{
	return measure == ALLOC_SPACE || measure == INUSE_SPACE;
}

bool profile_is_exact(const struct profile *profile)
{
	return profile->sample_bytes <= 1;
}

void profile_sample_values(const struct profile *profile, const struct profile_sample *sample,
			   u64 ret_values[MEASURE_MAX])
{
	u64 inuse_count = profile->alloc_only ? 0 : sample->inuse_count;

	estimate_scale(sample->alloc_count, sample->size, profile->sample_bytes, &ret_values[ALLOC_OBJECTS],
		       &ret_values[ALLOC_SPACE]);
	estimate_scale(inuse_count, sample->size, profile->sample_bytes, &ret_values[INUSE_OBJECTS],
		       &ret_values[INUSE_SPACE]);
}

void profile_totals(const struct profile *profile, u64 ret_totals[MEASURE_MAX])
{
	memset(ret_totals, 0, MEASURE_MAX * sizeof(*ret_totals));
	for (u32 i = 0; i < profile->sample_count; i++) {
		u64 value[MEASURE_MAX] = {0};

		profile_sample_values(profile, &profile->samples[i], value);
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			ret_totals[m] += value[m];
	}
}

/* By labels, stack, size: equal ones become neighbours. */
static int compare_samples(const void *left, const void *right)
{
	const struct profile_sample *a = left, *b = right;
	int order;

	if (a->labels != b->labels)
		return a->labels < b->labels ? -1 : 1;
	if (a->depth != b->depth)
		return a->depth < b->depth ? -1 : 1;
	order = memcmp(a->location, b->location, a->depth * sizeof(*a->location));
	if (order)
		return order;
	return a->size < b->size ? -1 : a->size > b->size;
}

/* Add what `from` has to `into`, and free it. 0 or -ENOMEM. */
static int merge_sample(struct profile_sample *into, struct profile_sample *from)
{
	int err = 0;

	into->alloc_count += from->alloc_count;
	into->inuse_count += from->inuse_count;
	if (into->lifetime && from->lifetime) {
		struct lifetime sum = lifetime_unpack(into->lifetime), more = lifetime_unpack(from->lifetime);

		lifetime_add(&sum, &more);
		free(into->lifetime);
		into->lifetime = lifetime_pack(&sum);
		err = into->lifetime ? 0 : -ENOMEM;
	}
	free(from->lifetime);
	free(from->location);
	return err;
}

int profile_merge_samples(struct profile *profile)
{
	u32 merged = 0;
	int err = 0;

	if (!profile->sample_count)
		return 0;
	qsort(profile->samples, profile->sample_count, sizeof(*profile->samples), compare_samples);
	for (u32 i = 1; i < profile->sample_count; i++) {
		struct profile_sample *into = &profile->samples[merged], *from = &profile->samples[i];

		if (compare_samples(into, from)) {
			profile->samples[++merged] = *from;
			continue;
		}
		if (merge_sample(into, from))
			err = -ENOMEM;
	}
	profile->sample_count = merged + 1;
	return err;
}
