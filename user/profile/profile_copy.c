/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/profile_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "profile/sample_residency.h"

static void *duplicate(const void *bytes, size_t size)
{
	void *copy = malloc(size ? size : 1);

	return copy && size ? memcpy(copy, bytes, size) : copy;
}

static int copy_mappings(const struct profile *from, struct profile *to)
{
	int err = 0;

	to->mappings = duplicate(from->mappings, from->mapping_count * sizeof(*from->mappings));
	if (!to->mappings)
		return -ENOMEM;
	to->mapping_count = from->mapping_count;
	for (u32 i = 0; i < to->mapping_count; i++) {
		to->mappings[i].elf = NULL;
		if (text_copy(from->mappings[i].path, &to->mappings[i].path))
			err = -ENOMEM;
	}
	return err;
}

static int copy_line(struct profile *to, struct profile_line *line)
{
	char **texts[] = {&line->function, &line->system_name, &line->file};
	int err = 0;

	for (unsigned int i = 0; i < sizeof(texts) / sizeof(*texts) && !err; i++)
		err = profile_text(to, *texts[i], texts[i]);
	return err;
}

static int copy_locations(const struct profile *from, struct profile *to)
{
	int err = 0;

	to->locations = calloc(from->location_count + 1UL, sizeof(*to->locations));
	if (!to->locations)
		return -ENOMEM;
	for (u32 i = 0; i < from->location_count && !err; i++) {
		struct profile_location *location = &to->locations[to->location_count++];
		struct profile_line *lines = from->locations[i].lines;

		*location = from->locations[i];
		location->lines = lines ? duplicate(lines, location->line_count * sizeof(*lines)) : NULL;
		err = lines && !location->lines ? -ENOMEM : 0;
		for (u32 n = 0; location->lines && n < location->line_count && !err; n++)
			err = copy_line(to, &location->lines[n]);
	}
	return err;
}

static int copy_samples(const struct profile *from, struct profile *to)
{
	to->samples = calloc(from->sample_count + 1UL, sizeof(*to->samples));
	if (!to->samples)
		return -ENOMEM;
	for (u32 i = 0; i < from->sample_count; i++) {
		struct profile_sample *sample = &to->samples[to->sample_count++];
		const struct lifetime_pack *lifetime = from->samples[i].lifetime;

		*sample = from->samples[i];
		sample->location = profile_stack(to, sample->depth);
		sample->lifetime = lifetime ? duplicate(lifetime, lifetime_pack_size(lifetime)) : NULL;
		sample->residency = NULL;
		if (!sample->location || (lifetime && !sample->lifetime) ||
		    sample_residency_add(sample, from->samples[i].residency))
			return -ENOMEM;
		if (sample->depth)
			memcpy(sample->location, from->samples[i].location, sample->depth * sizeof(*sample->location));
	}
	return 0;
}

static int copy_labels(const struct profile *from, struct profile *to)
{
	to->labels = calloc(from->label_count + 1UL, sizeof(*to->labels));
	if (!to->labels)
		return -ENOMEM;
	for (u32 i = 0; i < from->label_count; i++) {
		const struct profile_labels *labels = &from->labels[i];
		struct profile_labels *copy = &to->labels[to->label_count++];

		*copy = (struct profile_labels){.pid = labels->pid, .group = labels->group};
		if (text_copy(labels->comm, &copy->comm) || text_copy(labels->container, &copy->container) ||
		    text_copy(labels->container_id, &copy->container_id))
			return -ENOMEM;
	}
	return 0;
}

struct profile *profile_copy(const struct profile *profile)
{
	struct profile *copy = profile_copy_facts(profile);

	if (!copy)
		return NULL;
	copy->root = NULL;
	if (!copy_mappings(profile, copy) && !copy_locations(profile, copy) && !copy_samples(profile, copy) &&
	    !copy_labels(profile, copy))
		return copy;
	profile_free(copy);
	return NULL;
}
