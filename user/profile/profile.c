/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Release and sums; what fills the tables is in heap/snapshot.c, format/pprof_read.c and merge.c. */
#include "profile/profile.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile/estimate.h"
#include "profile/memory_reading.h"
#include "profile/sample_residency.h"

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

u32 *profile_stack(struct profile *profile, u32 depth)
{
	return arena_take(&profile->stacks, depth * sizeof(u32));
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
	profile->regions = NULL;
	profile->mappings = NULL;
	profile->locations = NULL;
	profile->samples = NULL;
	profile->labels = NULL;
	profile->stacks = (struct arena){0};
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
		free(profile->samples[i].lifetime);
		sample_residency_free(profile->samples[i].residency);
	}
	for (u32 i = 0; profile->labels && i < profile->label_count; i++)
		profile_labels_release(&profile->labels[i]);
	profile_free(profile->regions);
	free(profile->mappings);
	free(profile->locations);
	free(profile->samples);
	free(profile->labels);
	arena_release(&profile->stacks);
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
	memory_notes_free(profile->memory_notes);
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
	facts->memory_notes = NULL;
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

const char *const profile_region_names[MEASURE_MAX + 1] = {
	[ALLOC_OBJECTS] = "map_objects",
	[ALLOC_SPACE] = "map_space",
	[INUSE_OBJECTS] = "mapped_objects",
	[INUSE_SPACE] = "mapped_space",
};

const char *const *profile_names(const struct profile *profile)
{
	return profile->kind == PROFILE_REGIONS ? profile_region_names : profile_measure_names;
}

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
	return profile->sample_bytes <= 1 && profile->restraint.scale <= 1;
}

bool profile_knows_inuse(const struct profile *profile)
{
	return !profile->alloc_only && !profile->restraint.frees_ended;
}

void profile_sample_values(const struct profile *profile, const struct profile_sample *sample,
			   u64 ret_values[MEASURE_MAX])
{
	u64 inuse_count = profile->alloc_only ? 0 : sample->inuse_count;
	bool negative = profile->difference && inuse_count >> 63;

	estimate_scale(sample->alloc_count, sample->size, profile->sample_bytes, &ret_values[ALLOC_OBJECTS],
		       &ret_values[ALLOC_SPACE]);
	estimate_scale(negative ? -inuse_count : inuse_count, sample->size, profile->sample_bytes,
		       &ret_values[INUSE_OBJECTS], &ret_values[INUSE_SPACE]);
	if (negative) {
		ret_values[INUSE_OBJECTS] = -ret_values[INUSE_OBJECTS];
		ret_values[INUSE_SPACE] = -ret_values[INUSE_SPACE];
	}
}

void profile_sample_variances(const struct profile *profile, const struct profile_sample *sample,
			      double ret_variances[MEASURE_MAX])
{
	u64 inuse_count = profile->alloc_only ? 0 : sample->inuse_count;

	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		ret_variances[m] = (measure_is_space(m) ? estimate_variance_bytes : estimate_variance_objects)(
			measure_is_inuse(m) ? inuse_count : sample->alloc_count, sample->size, profile->sample_bytes,
			measure_is_inuse(m) ? 1 : profile->restraint.scale);
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

bool profile_sample_is_allocators(const struct profile *profile, const struct profile_sample *sample)
{
	const struct profile_location *leaf = sample->depth ? &profile->locations[sample->location[0]] : NULL;

	return leaf && leaf->line_count == 1 && leaf->lines->function &&
	       !strcmp(leaf->lines->function, PROFILE_ALLOCATOR);
}

void profile_region_totals(const struct profile *profile, bool allocators, u64 ret_totals[MEASURE_MAX])
{
	memset(ret_totals, 0, MEASURE_MAX * sizeof(*ret_totals));
	for (u32 i = 0; i < profile->sample_count; i++) {
		u64 value[MEASURE_MAX] = {0};

		if (profile_sample_is_allocators(profile, &profile->samples[i]) != allocators)
			continue;
		profile_sample_values(profile, &profile->samples[i], value);
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			ret_totals[m] += value[m];
	}
}
