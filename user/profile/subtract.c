/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/subtract.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/intern.h"
#include "profile/sample_residency.h"

struct counts {
	u64 alloc, inuse;
};

/* Code and samples by what they are, with one number in both profiles. */
struct identities {
	struct intern code, samples;
	struct counts *base; /* by the sample's number */
};

static int identify_code(struct identities *identities, const struct profile *profile,
			 const struct profile_location *location, u32 *ret_number)
{
	const struct profile_mapping *mapping =
		location->mapping < profile->mapping_count ? &profile->mappings[location->mapping] : NULL;
	struct intern_key key = {0};

	if (mapping && mapping->path) {
		intern_key_put_text(&key, mapping->path);
		intern_key_put_u64(&key, location->address - mapping->start + mapping->file_offset);
	} else {
		intern_key_put_text(&key, location->line_count ? location->lines->function : NULL);
		intern_key_put_u64(&key, location->address);
	}
	return intern_add_key(&identities->code, &key, ret_number) < 0 ? -ENOMEM : 0;
}

/* The number of each location's code, to be freed. NULL: no memory. */
static u32 *identify_locations(struct identities *identities, const struct profile *profile)
{
	u32 *numbers = calloc(profile->location_count + 1UL, sizeof(*numbers));

	for (u32 i = 0; numbers && i < profile->location_count; i++)
		if (identify_code(identities, profile, &profile->locations[i], &numbers[i])) {
			free(numbers);
			return NULL;
		}
	return numbers;
}

/*
 * Whose a sample is. A program of a process is known by the pid and its number: the process may have another name by now, and where it was alone
 * in the one profile its samples have no labels there.
 */
static void identify_process(const struct profile *profile, const struct profile_sample *sample, struct intern_key *key)
{
	const struct profile_labels *labels =
		sample->labels && sample->labels <= profile->label_count ? &profile->labels[sample->labels - 1] : NULL;
	u32 pid = labels ? labels->pid : profile->pid;

	intern_key_put_u64(key, pid);
	intern_key_put_u64(key, labels ? labels->group : profile->image);
	if (pid)
		return;
	intern_key_put_text(key, labels ? labels->comm : NULL);
	intern_key_put_text(key, labels ? labels->container_id : NULL);
}

/* 1: it is new, 0: it was there, or -ENOMEM. */
static int identify_sample(struct identities *identities, const struct profile *profile, const u32 *code,
			   const struct profile_sample *sample, u32 *ret_number)
{
	struct intern_key key = {0};

	intern_key_put_u64(&key, sample->size);
	identify_process(profile, sample, &key);
	for (u32 i = 0; i < sample->depth; i++)
		intern_key_put(&key, &code[sample->location[i]], sizeof(*code));
	return intern_add_key(&identities->samples, &key, ret_number);
}

static int count_base(struct identities *identities, const struct profile *base)
{
	u32 *code = identify_locations(identities, base), number, known = 0;
	int err = code ? 0 : -ENOMEM;

	for (u32 i = 0; i < base->sample_count && !err; i++) {
		int added = identify_sample(identities, base, code, &base->samples[i], &number);

		err = added < 0 || (added && array_grow(&identities->base, known, 1)) ? -ENOMEM : 0;
		if (err)
			break;
		if (added)
			identities->base[known++] = (struct counts){0};
		identities->base[number].alloc += base->samples[i].alloc_count;
		identities->base[number].inuse += base->samples[i].inuse_count;
	}
	free(code);
	return err;
}

/* Take from the sample, and from what is left for others that are equal. */
static void subtract(struct profile_sample *sample, struct counts *base, bool inuse)
{
	u64 alloc = base->alloc < sample->alloc_count ? base->alloc : sample->alloc_count;

	sample->alloc_count -= alloc;
	base->alloc -= alloc;
	if (!inuse)
		return;
	sample->inuse_count -= base->inuse;
	base->inuse = 0;
}

/* Keep the samples that have something left. */
static void keep(struct profile *later, struct profile_sample sample, u32 *count)
{
	free(sample.lifetime);
	sample.lifetime = NULL;
	sample_residency_free(sample.residency);
	sample.residency = NULL;
	if (sample.alloc_count || sample.inuse_count)
		later->samples[(*count)++] = sample;
}

static int subtract_base(struct identities *identities, struct profile *later, bool inuse)
{
	u32 known = intern_count(&identities->samples), number, count = 0;
	u32 *code = identify_locations(identities, later);

	if (!code)
		return -ENOMEM;
	for (u32 i = 0; i < later->sample_count; i++) {
		int added = identify_sample(identities, later, code, &later->samples[i], &number);

		if (added < 0) {
			free(code);
			return -ENOMEM;
		}
		if (number < known)
			subtract(&later->samples[i], &identities->base[number], inuse);
	}
	for (u32 i = 0; i < later->sample_count; i++)
		keep(later, later->samples[i], &count);
	later->sample_count = count;
	free(code);
	return 0;
}

int profile_subtract(struct profile *later, const struct profile *base, bool inuse)
{
	u64 base_end = base->start_unix_ns + base->duration_ns, end = later->start_unix_ns + later->duration_ns;
	struct identities identities = {0};
	int err = count_base(&identities, base);

	if (!err)
		err = subtract_base(&identities, later, inuse);
	intern_release(&identities.code);
	intern_release(&identities.samples);
	free(identities.base);
	later->difference = inuse;
	later->model.known = later->memory.known = false;
	/* A sum of no profile is of no time: all of the later one came after it. */
	if (!base_end)
		base_end = later->start_unix_ns;
	later->duration_ns = end > base_end ? end - base_end : 0;
	later->start_unix_ns = end - later->duration_ns;
	return err;
}
