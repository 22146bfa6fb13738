/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "heap/go_objects.h"
#include "heap/region_ledger.h"
#include "heap/snapshot_facts.h"
#include "heap/snapshot_stacks.h"
#include "profile/equal_samples.h"
#include "profile/sample_residency.h"
#include "system/address_map.h"

/* What a sample was made of: its stack (NULL: unknown), and all that was ever allocated with it. */
struct origin {
	const struct stack *stack;
	u64 alloc_count;
};

/* Stacks lie anywhere in memory: that of a later sample is fetched while one is gone through. */
#define FETCH_AHEAD 6
#define FETCH_BYTES 320 /* of a stack: its head and 20 frames */
#define FETCH_LINE  64

struct snapshot_draft {
	struct profile *profile;
	struct origin *origins; /* by sample; NULL: stacks are not wanted */
	struct snapshot_stacks stacks;
	bool lifetimes;			/* they are wanted, and known */
	struct snapshot_draft *regions; /* of the same image; NULL: not wanted, or none */
};

/* --- the draft: counts --- */

static int copy_site(struct snapshot_draft *draft, const struct image *image, struct heap_site *site)
{
	struct profile *profile = draft->profile;
	struct profile_sample *sample = &profile->samples[profile->sample_count];
	struct booking_slot published = booking_published(&site->booking, &image->heap.gc);

	if (draft->lifetimes) {
		sample->lifetime = lifetime_pack(&site->lifetime);
		if (!sample->lifetime)
			return -ENOMEM;
	}
	if (draft->origins && !site->stack)
		site->stack = stack_table_find(&image->stacks, site->key.stack);
	if (draft->origins)
		draft->origins[profile->sample_count] = (struct origin){site->stack, site->alloc_count};
	profile->sample_count++;
	site->sample = profile->sample_count - 1;
	sample->size = site->key.size;
	sample->alloc_count = published.alloc_count;
	sample->inuse_count = (u64)published.inuse_count;
	return 0;
}

static int copy_sites(struct snapshot_draft *draft, struct image *image)
{
	int err = 0;

	draft->profile->samples = calloc(HASH_COUNT(image->heap.sites) + 1, sizeof(*draft->profile->samples));
	if (!draft->profile->samples)
		return -ENOMEM;
	if (draft->lifetimes)
		heap_lifetimes_close(&image->heap);
	for (struct heap_site *site = image->heap.sites; site && !err; site = site->hh.next)
		err = copy_site(draft, image, site);
	if (draft->lifetimes)
		heap_lifetimes_reopen(&image->heap);
	return err;
}

/* All of them, as they are now. */
static int copy_regions(struct snapshot_draft *draft, struct image *image)
{
	struct profile *profile = draft->profile;

	profile->samples = calloc(HASH_COUNT(image->regions.sites) + 1, sizeof(*profile->samples));
	if (!profile->samples)
		return -ENOMEM;
	for (const struct region_site *site = image->regions.sites; site; site = site->hh.next) {
		draft->origins[profile->sample_count] =
			(struct origin){stack_table_find(&image->stacks, site->key.stack), site->mapped_count};
		profile->samples[profile->sample_count++] = (struct profile_sample){
			.size = site->key.size, .alloc_count = site->mapped_count, .inuse_count = site->living_count};
	}
	return 0;
}

static int fill_regions(struct snapshot_draft *draft, const struct recorder_options *options, struct image *image,
			u64 now_ns)
{
	struct profile *profile = draft->profile;
	int err = snapshot_facts_copy(options, image, now_ns, profile);

	profile->kind = PROFILE_REGIONS;
	profile->sample_bytes = 1;
	profile->alloc_only = false;
	profile->restraint = (struct restraint){0};
	profile->model.known = false;
	profile->memory.known = false;
	profile->peak_inuse_space = profile->peak_at_ns = 0;
	profile->root = NULL;
	region_ledger_of(image, profile->ledger);
	draft->origins = calloc(HASH_COUNT(image->regions.sites) + 1, sizeof(*draft->origins));
	err = err ? err : draft->origins ? address_map_freeze(image->mappings, &draft->stacks.mappings) : -ENOMEM;
	return err ? err : copy_regions(draft, image);
}

/* As they are now: those of the last cycle are gone where they have died since. */
static int note_objects(const struct profile *profile, const struct heap *heap)
{
	int err = 0;

	for (const struct heap_object *object = heap->objects; object && !err; object = object->hh.next)
		if (!object->moved_by)
			err = sample_residency_note(&profile->samples[object->site->sample], object->addr);
	return err;
}

static int fill(struct snapshot_draft *draft, const struct recorder_options *options, struct image *image, u64 now_ns,
		unsigned int parts)
{
	int err = snapshot_facts_copy(options, image, now_ns, draft->profile);

	region_ledger_leave_out(image, draft->profile->ledger);
	go_objects_leave_out(draft->profile->ledger);
	draft->lifetimes = parts & SNAPSHOT_LIFETIMES && draft->profile->model.known;
	if (!err && parts & SNAPSHOT_STACKS) {
		draft->origins = calloc(HASH_COUNT(image->heap.sites) + 1, sizeof(*draft->origins));
		err = draft->origins ? address_map_freeze(image->mappings, &draft->stacks.mappings) : -ENOMEM;
	}
	err = err ? err : copy_sites(draft, image);
	if (!err && options->residency && !image->ended && !image->heap.frozen_ns)
		err = note_objects(draft->profile, &image->heap);
	return err;
}

/* NULL: no memory. */
static struct snapshot_draft *draft_new(u64 start_unix_ns)
{
	struct snapshot_draft *draft = calloc(1, sizeof(*draft));

	if (draft)
		draft->profile = calloc(1, sizeof(*draft->profile));
	if (!draft || !draft->profile) {
		free(draft);
		return NULL;
	}
	draft->profile->start_unix_ns = start_unix_ns;
	return draft;
}

int snapshot_draft_make(const struct recorder_options *options, struct image *image, u64 now_ns, u64 start_unix_ns,
			unsigned int parts, struct snapshot_draft **ret_draft)
{
	struct snapshot_draft *draft = draft_new(start_unix_ns);
	int err = draft ? fill(draft, options, image, now_ns, parts) : -ENOMEM;

	if (!err && parts & SNAPSHOT_REGIONS && image->regions.sites) {
		draft->regions = draft_new(start_unix_ns);
		err = draft->regions ? fill_regions(draft->regions, options, image, now_ns) : -ENOMEM;
	}
	if (err)
		snapshot_draft_free(draft);
	else
		*ret_draft = draft;
	return err;
}

struct profile *snapshot_draft_facts(struct snapshot_draft *draft)
{
	return draft->profile;
}

void snapshot_draft_free(struct snapshot_draft *draft)
{
	if (!draft)
		return;
	snapshot_draft_free(draft->regions);
	snapshot_stacks_release(&draft->stacks);
	free(draft->origins);
	profile_free(draft->profile);
	free(draft);
}

/* --- stacks --- */

static int add_stack(struct snapshot_draft *draft, u32 index)
{
	struct profile_sample *sample = &draft->profile->samples[index];
	const struct origin *origin = draft->origins ? &draft->origins[index] : NULL;
	const struct stack *stack = origin ? origin->stack : NULL;

	sample->location = profile_stack(draft->profile, stack ? stack->depth : 0);
	if (!sample->location)
		return -ENOMEM;
	if (!stack)
		return 0;
	if (snapshot_stacks_add(&draft->stacks, stack, sample))
		return -ENOMEM;
	if (sample->depth < stack->depth)
		draft->profile->ledger[COUNTER_STACK_CUT] += origin->alloc_count;
	return draft->profile->kind == PROFILE_REGIONS ? snapshot_stacks_mark(&draft->stacks, sample) : 0;
}

static void fetch_stack(const struct snapshot_draft *draft, u32 index)
{
	const char *stack = index < draft->profile->sample_count ? (const char *)draft->origins[index].stack : NULL;

	for (u32 at = 0; stack && at < FETCH_BYTES; at += FETCH_LINE)
		__builtin_prefetch(stack + at);
}

static int add_stacks(struct snapshot_draft *draft)
{
	int err = 0;

	for (u32 i = 0; i < draft->profile->sample_count && !err; i++) {
		if (draft->origins)
			fetch_stack(draft, i + FETCH_AHEAD);
		err = add_stack(draft, i);
	}
	return err;
}

int snapshot_draft_finish(struct snapshot_draft *draft, struct profile **ret_profile)
{
	struct profile *profile = draft->profile;
	struct snapshot_draft *regions = draft->regions;
	int err;

	err = draft->origins ? snapshot_stacks_begin(&draft->stacks, profile) : 0;
	if (!err)
		err = add_stacks(draft);
	if (!err && draft->origins)
		err = profile_merge_samples(profile);
	draft->regions = err ? regions : NULL;
	if (!err && regions)
		err = snapshot_draft_finish(regions, &profile->regions);
	if (!err) {
		*ret_profile = profile;
		draft->profile = NULL;
	}
	snapshot_draft_free(draft);
	return err;
}

int snapshot_take(const struct recorder_options *options, struct image *image, u64 now_ns, u64 start_unix_ns,
		  struct profile **ret_profile)
{
	struct snapshot_draft *draft;
	int err = snapshot_draft_make(options, image, now_ns, start_unix_ns,
				      SNAPSHOT_STACKS | SNAPSHOT_LIFETIMES | SNAPSHOT_REGIONS, &draft);

	return err ? err : snapshot_draft_finish(draft, ret_profile);
}
