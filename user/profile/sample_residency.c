/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/sample_residency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "profile/profile.h"
#include "system/residency.h"

#define READS_MAX 32768 /* pieces of pages, 128 MiB at most: some 40 ms */

static struct sample_residency *get(struct profile_sample *sample)
{
	if (!sample->residency)
		sample->residency = calloc(1, sizeof(*sample->residency));
	return sample->residency;
}

int sample_residency_note(struct profile_sample *sample, u64 address)
{
	struct sample_residency *residency = get(sample);

	if (!residency || array_grow(&residency->addresses, residency->waiting, 1))
		return -ENOMEM;
	residency->addresses[residency->waiting++] = address;
	return 0;
}

int sample_residency_add(struct profile_sample *into, const struct sample_residency *from)
{
	struct sample_residency *residency;

	if (!from)
		return 0;
	residency = get(into);
	if (!residency || array_grow(&residency->addresses, residency->waiting, from->waiting))
		return -ENOMEM;
	if (from->waiting)
		memcpy(residency->addresses + residency->waiting, from->addresses,
		       from->waiting * sizeof(*from->addresses));
	residency->waiting += from->waiting;
	residency->objects += from->objects;
	residency->bytes += from->bytes;
	residency->resident += from->resident;
	residency->swapped += from->swapped;
	residency->read += from->read;
	residency->zero += from->zero;
	return 0;
}

void sample_residency_free(struct sample_residency *residency)
{
	if (residency)
		free(residency->addresses);
	free(residency);
}

/* --- looking --- */

/* Objects without bytes cost nothing and have no page. */
static bool is_waiting(const struct profile_sample *sample)
{
	return sample->residency && sample->size;
}

static u64 count_waiting(const struct profile *profile)
{
	u64 count = 0;

	for (u32 i = 0; i < profile->sample_count; i++)
		count += is_waiting(&profile->samples[i]) ? profile->samples[i].residency->waiting : 0;
	return count;
}

static void list(const struct profile *profile, struct residency *objects)
{
	for (u32 i = 0; i < profile->sample_count; i++) {
		const struct profile_sample *sample = &profile->samples[i];

		for (u32 n = 0; is_waiting(sample) && n < sample->residency->waiting; n++)
			*objects++ = (struct residency){
				.addr = sample->residency->addresses[n], .size = sample->size, .owner = i};
	}
}

/* 0, or -E2BIG: some were left out. */
static int take(struct profile *profile, const struct residency *objects, u32 count)
{
	int err = 0;

	for (u32 i = 0; i < count; i++) {
		struct sample_residency *residency = profile->samples[objects[i].owner].residency;

		if (!objects[i].seen) {
			err = -E2BIG;
			continue;
		}
		residency->objects++;
		residency->bytes += objects[i].size;
		residency->resident += objects[i].resident;
		residency->swapped += objects[i].swapped;
		residency->read += objects[i].read;
		residency->zero += objects[i].zero;
	}
	return err;
}

/* Nothing waits any more; nothing is known of samples none of whose objects was looked at. */
static void settle(struct profile *profile)
{
	for (u32 i = 0; i < profile->sample_count; i++) {
		struct sample_residency *residency = profile->samples[i].residency;

		if (!residency)
			continue;
		free(residency->addresses);
		residency->addresses = NULL;
		residency->waiting = 0;
		if (residency->objects)
			continue;
		free(residency);
		profile->samples[i].residency = NULL;
	}
}

int sample_residency_look_up(struct profile *profile)
{
	u64 count = count_waiting(profile);
	struct residency *objects = count && count <= UINT32_MAX ? calloc(count, sizeof(*objects)) : NULL;
	int err = count && !objects ? -ENOMEM : 0;

	if (objects) {
		list(profile, objects);
		err = residency_read((pid_t)profile->pid, objects, (u32)count, READS_MAX);
		err = err ? err : take(profile, objects, (u32)count);
	}
	free(objects);
	settle(profile);
	return err;
}

const char *sample_residency_explain(int err)
{
	if (err == -E2BIG)
		return "together they would have more than a tebibyte of the address space";
	if (err == -ENOENT || err == -ESRCH)
		return "it has ended; --interval and --trigger look while processes live";
	return strerror(-err);
}

/* --- estimates --- */

void residency_sum_add(struct residency_sum *sum, const struct profile *profile, const struct profile_sample *sample)
{
	const struct sample_residency *residency = sample->residency;
	u64 value[MEASURE_MAX];
	double each;

	if (!residency || !residency->bytes)
		return;
	profile_sample_values(profile, sample, value);
	each = (double)value[INUSE_SPACE] / (double)residency->bytes;
	sum->objects += residency->objects;
	sum->inuse += (double)value[INUSE_SPACE];
	sum->resident += each * (double)residency->resident;
	sum->swapped += each * (double)residency->swapped;
	sum->untouched += each * (double)(residency->bytes - residency->resident - residency->swapped);
	sum->read += residency->read;
	if (residency->read)
		sum->zero += each * (double)residency->resident * (double)residency->zero / (double)residency->read;
}
