/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hash table instead of sorting: a hundred thousand samples, of which few are equal, are read once each. */
#include "profile/equal_samples.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "profile/sample_residency.h"

/* What is kept so far: the first `count` samples of the profile. */
struct kept {
	struct profile_sample *samples;
	u32 count, mask;
	u32 *slots; /* index of a sample plus one; 0: free. A power of two of them, less than half of which are taken */
	u64 *hashes; /* by sample */
	u64 seed;
};

static u64 mixed(u64 hash, u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15;
	return hash ^ hash >> 29;
}

/* A process chooses its stacks: with a seed that it does not know it cannot choose their hashes. */
static u64 random_seed(void)
{
	const void *random = (const void *)getauxval(AT_RANDOM); /* NOLINT(performance-no-int-to-ptr) */
	u64 seed = 0;

	if (random)
		memcpy(&seed, random, sizeof(seed));
	return seed;
}

static u64 hash_of(const struct profile_sample *sample, u64 seed)
{
	u64 hash = mixed(mixed(seed, sample->size), (u64)sample->labels << 32 | sample->depth);
	u32 i = 0;

	for (; i + 1 < sample->depth; i += 2)
		hash = mixed(hash, (u64)sample->location[i] << 32 | sample->location[i + 1]);
	return i < sample->depth ? mixed(hash, sample->location[i]) : hash;
}

static bool are_equal(const struct profile_sample *a, const struct profile_sample *b)
{
	return a->labels == b->labels && a->depth == b->depth && a->size == b->size &&
	       (!a->depth || !memcmp(a->location, b->location, a->depth * sizeof(*a->location)));
}

/* The one that is equal and kept already; or keep this one: NULL. */
static struct profile_sample *find_or_keep(struct kept *kept, const struct profile_sample *sample)
{
	u64 hash = hash_of(sample, kept->seed);
	u32 place = (u32)hash & kept->mask;

	for (; kept->slots[place]; place = (place + 1) & kept->mask) {
		u32 index = kept->slots[place] - 1;

		if (kept->hashes[index] == hash && are_equal(&kept->samples[index], sample))
			return &kept->samples[index];
	}
	kept->hashes[kept->count] = hash;
	kept->samples[kept->count] = *sample;
	kept->slots[place] = ++kept->count;
	return NULL;
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
	if (sample_residency_add(into, from->residency))
		err = -ENOMEM;
	sample_residency_free(from->residency);
	free(from->lifetime);
	return err;
}

static int merge_into(struct kept *kept, struct profile *profile)
{
	int err = 0;

	for (u32 i = 0; i < profile->sample_count; i++) {
		struct profile_sample sample = profile->samples[i], *equal = find_or_keep(kept, &sample);

		if (equal && merge_sample(equal, &sample))
			err = -ENOMEM;
	}
	profile->sample_count = kept->count;
	return err;
}

int profile_merge_samples(struct profile *profile)
{
	u64 size = 4;
	struct kept kept = {.samples = profile->samples, .seed = random_seed()};
	int err = -ENOMEM;

	while (size <= 2UL * profile->sample_count)
		size *= 2;
	kept.mask = (u32)(size - 1);
	kept.slots = calloc(size, sizeof(*kept.slots));
	kept.hashes = malloc((profile->sample_count + 1UL) * sizeof(*kept.hashes));
	if (kept.slots && kept.hashes)
		err = merge_into(&kept, profile);
	free(kept.slots);
	free(kept.hashes);
	return err;
}
