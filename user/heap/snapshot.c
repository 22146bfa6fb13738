/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/stackcut.h"
#include "base/array.h"
#include "base/intern.h"
#include "base/text.h"
#include "profile/equal_samples.h"
#include "system/address_map.h"

struct snapshot {
	struct profile *profile;
	struct image *image;
	struct intern mappings, locations; /* those in the profile already, by their indices there */
	u32 *mapping;			   /* of the image's mappings: index in the profile */
};

/* To a reader two mappings that agree in all of this are one, whenever they were made: a library that comes and goes. */
static int mapping_number(struct snapshot *snapshot, const struct mapping *from, u32 *ret_index)
{
	struct intern_key key = {0};

	intern_key_put_u64(&key, from->start);
	intern_key_put_u64(&key, from->end);
	intern_key_put_u64(&key, from->file_offset);
	intern_key_put_u64(&key, from->device);
	intern_key_put_u64(&key, from->inode);
	intern_key_put(&key, &from->elf, sizeof(from->elf));
	intern_key_put_text(&key, from->path);
	return intern_add_key(&snapshot->mappings, &key, ret_index);
}

static int copy_mapping(const struct mapping *from, struct profile_mapping *to)
{
	*to = (struct profile_mapping){
		.start = from->start,
		.end = from->end,
		.file_offset = from->file_offset,
		.device = from->device,
		.inode = from->inode,
		.elf = from->elf,
		.build_id_size = from->build_id_size,
	};
	memcpy(to->build_id, from->build_id, sizeof(to->build_id));
	return text_copy(from->path, &to->path);
}

static int copy_mappings(struct snapshot *snapshot)
{
	const struct address_map *table = snapshot->image->mappings;
	struct profile *profile = snapshot->profile;
	u32 count = address_map_count(table);
	int added, err = 0;

	profile->mappings = calloc(count + 1, sizeof(*profile->mappings));
	snapshot->mapping = calloc(count + 1, sizeof(*snapshot->mapping));
	if (!profile->mappings || !snapshot->mapping)
		return -ENOMEM;
	for (u32 i = 0; i < count && !err; i++) {
		added = mapping_number(snapshot, address_map_get(table, i), &snapshot->mapping[i]);
		if (added > 0)
			err = copy_mapping(address_map_get(table, i), &profile->mappings[profile->mapping_count++]);
		else
			err = added;
	}
	return err;
}

/* The location of that address in that mapping: 1 when it is met for the first time, 0, or -ENOMEM. */
static int location_add(struct snapshot *snapshot, u64 address, u32 mapping, u32 *ret_index)
{
	struct profile *profile = snapshot->profile;
	const u64 key[] = {address, mapping};
	const struct interned *entry;
	int added;

	if (array_grow(&profile->locations, profile->location_count, 1))
		return -ENOMEM;
	added = intern_add(&snapshot->locations, key, sizeof(key), &entry);
	if (added < 0)
		return added;
	*ret_index = entry->index;
	if (added)
		profile->locations[profile->location_count++] =
			(struct profile_location){.address = address, .mapping = mapping};
	return added;
}

/* The location of a return address, made when first met. 0; -ENOENT: it lies in no known mapping; -ENOMEM. */
static int location_get(struct snapshot *snapshot, u64 ip, u64 time_ns, u32 *ret_index)
{
	u64 address = ip ? ip - 1 : 0;
	const struct mapping *found = address_map_find(snapshot->image->mappings, address, time_ns);
	u32 mapping = found ? snapshot->mapping[found->index] : MAPPING_UNKNOWN;
	int added = location_add(snapshot, address, mapping, ret_index);

	if (added < 0)
		return added;
	return found ? 0 : -ENOENT;
}

static int name_cut(struct profile *profile, struct profile_location *cut)
{
	cut->lines = calloc(1, sizeof(*cut->lines));
	if (!cut->lines || profile_text(profile, PROFILE_TRUNCATED, &cut->lines->function))
		return -ENOMEM;
	cut->lines->system_name = cut->lines->function;
	cut->line_count = 1;
	return 0;
}

/* The location that stands for what was left out of stacks that were too deep. 0 or -ENOMEM. */
static int cut_get(struct snapshot *snapshot, u32 *ret_index)
{
	int added = location_add(snapshot, UINT64_MAX, MAPPING_UNKNOWN, ret_index); /* of no code */

	if (added <= 0)
		return added;
	snapshot->profile->locations[*ret_index].address = 0;
	return name_cut(snapshot->profile, &snapshot->profile->locations[*ret_index]);
}

/*
 * A frame-pointer walk over code without frame pointers yields numbers that are no code. The leaf is always right; from
 * the first frame on that lies in no mapping nothing is, so the stack ends there.
 */
static int add_frames(struct snapshot *snapshot, const struct stack *stack, struct profile_sample *sample)
{
	u32 depth = 0;
	int err = 0;

	while (depth < stack->depth && !err) {
		u32 *location = &sample->location[depth];

		err = stack->ip[depth] == STACK_LEFT_OUT
			      ? cut_get(snapshot, location)
			      : location_get(snapshot, stack->ip[depth], stack->first_ns, location);
		depth += !err;
	}
	sample->depth = depth ? depth : 1;
	return err == -ENOENT ? 0 : err;
}

static int add_sample(struct snapshot *snapshot, const struct heap_site *site)
{
	struct profile_sample *sample = &snapshot->profile->samples[snapshot->profile->sample_count];
	struct booking_slot published = booking_published(&site->booking, &snapshot->image->heap.gc);
	const struct stack *stack = stack_table_find(&snapshot->image->stacks, site->key.stack);

	sample->location = calloc(stack ? stack->depth : 1, sizeof(*sample->location));
	if (!sample->location)
		return -ENOMEM;
	snapshot->profile->sample_count++;
	if (snapshot->profile->model.known) {
		sample->lifetime = lifetime_pack(&site->lifetime);
		if (!sample->lifetime)
			return -ENOMEM;
	}
	sample->size = site->key.size;
	sample->alloc_count = published.alloc_count;
	sample->inuse_count = (u64)published.inuse_count;
	if (!stack)
		return 0;
	if (add_frames(snapshot, stack, sample))
		return -ENOMEM;
	if (sample->depth < stack->depth)
		snapshot->profile->ledger[COUNTER_STACK_CUT] += site->alloc_count;
	return 0;
}

static int add_samples(struct snapshot *snapshot)
{
	struct image *image = snapshot->image;
	struct profile *profile = snapshot->profile;
	int err = 0;

	profile->samples = calloc(HASH_COUNT(image->heap.sites) + 1, sizeof(*profile->samples));
	if (!profile->samples)
		return -ENOMEM;
	heap_lifetimes_close(&image->heap);
	for (const struct heap_site *site = image->heap.sites; site && !err; site = site->hh.next)
		err = add_sample(snapshot, site);
	heap_lifetimes_reopen(&image->heap);
	return err ? err : profile_merge_samples(profile);
}

static void set_cost(const struct recorder_options *options, const struct image *image, struct profile *profile)
{
	double allocs = (double)image->ledger[COUNTER_HITS_ALLOC], frees = (double)image->ledger[COUNTER_HITS_FREE];
	double cost_ns = allocs * options->alloc_hit_ns + frees * options->free_hit_ns;

	if (allocs + frees > 0)
		profile->hit_cost_ns = cost_ns / (allocs + frees);
	if (profile->cpu_ns)
		profile->slowdown_percent = 100.0 * cost_ns / (double)profile->cpu_ns;
}

/* An object that has survived k cycles was born before the (k - 1)th last of them completed. */
static u64 least_age_ns(const struct gc_model *gc, u32 class, u64 now_ns)
{
	u32 age = lifetime_class_start(class);
	u64 born_ns;

	if (!age || age > gc->cycle)
		return 0;
	born_ns = gc_model_moment(gc, gc->cycle - age + 1).time_ns;
	return now_ns > born_ns ? now_ns - born_ns : 0;
}

static void copy_model(const struct gc_model *gc, u64 now_ns, struct profile_model *model)
{
	struct moment last = gc_model_moment(gc, gc->cycle);
	u32 width = lifetime_width(gc->tick);

	*model = (struct profile_model){
		.known = true,
		.gogc_percent = gc->options.gogc_percent,
		.tenure = gc->options.tenure,
		.cycles = gc->cycle,
		.ticks = gc->tick,
		.requests = gc->booked - gc->cycle,
		.cycles_ns = last.time_ns - gc->start.time_ns,
		.cycles_bytes = last.allocated_bytes,
		.marked_bytes = gc->marked_bytes,
		.goal_bytes = gc_model_goal(gc),
		.visited_bytes = gc->visited_bytes,
		.tenured_bytes = gc->tenured_bytes,
		.trend = gc_model_trend(gc),
		.judged_bytes = gc->judged_bytes,
		.promoted_bytes = gc->promoted_bytes,
	};
	for (u32 bucket = 0; bucket <= gc->tick / width; bucket++)
		model->clock_ns[bucket] = gc->bucket_ns[bucket] - gc->start.time_ns;
	for (u32 class = 0; class < LIFETIME_CLASSES; class ++)
		model->age_ns[class] = least_age_ns(gc, class, now_ns);
}

static int copy_facts(const struct recorder_options *options, struct image *image, u64 now_ns, struct profile *profile)
{
	u64 end_ns = image->end_ns ? image->end_ns : now_ns;

	image_balance(image);
	memcpy(profile->ledger, image->ledger, sizeof(profile->ledger));
	profile->pid = image->pid;
	profile->image = image->ordinal;
	profile->sample_bytes = options->sample_bytes;
	profile->alloc_only = options->alloc_only;
	profile->show_allocator = options->show_allocator;
	/* `now_ns` was read before the events: they may tell of an image that began after it. */
	profile->duration_ns = end_ns > image->start_ns ? end_ns - image->start_ns : 0;
	profile->peak_inuse_space = (u64)image->heap.peak_bytes;
	profile->peak_at_ns = image->heap.peak_ns ? image->heap.peak_ns - image->start_ns : 0;
	profile->rss_start_bytes = image->rss_start_bytes;
	profile->rss_end_bytes = image->rss_end_bytes;
	profile->rss_peak_bytes = image->rss_peak_bytes;
	profile->exited = image->ended;
	profile->exit = image->exit;
	profile->memory_limit = image->memory_limit;
	profile->memory_used = image->memory_used;
	if (!options->alloc_only)
		copy_model(&image->heap.gc, end_ns, &profile->model);
	profile->root = image->root.fd >= 0 ? &image->root : NULL;
	if (image->cpu_end_ns > image->cpu_start_ns)
		profile->cpu_ns = image->cpu_end_ns - image->cpu_start_ns;
	set_cost(options, image, profile);
	return text_copy(image->comm, &profile->comm) || text_copy(image->exe, &profile->exe) ||
			       text_copy(image->cgroup, &profile->cgroup) ||
			       text_copy(image->container_id, &profile->container) ||
			       text_copy(image->container_name, &profile->container_name)
		       ? -ENOMEM
		       : 0;
}

int snapshot_take(const struct recorder_options *options, struct image *image, u64 now_ns, u64 start_unix_ns,
		  struct profile **ret_profile)
{
	struct snapshot snapshot = {.image = image, .profile = calloc(1, sizeof(*snapshot.profile))};
	int err;

	if (!snapshot.profile)
		return -ENOMEM;
	snapshot.profile->start_unix_ns = start_unix_ns;
	err = copy_facts(options, image, now_ns, snapshot.profile);
	if (!err)
		err = copy_mappings(&snapshot);
	if (!err)
		err = add_samples(&snapshot);
	intern_release(&snapshot.mappings);
	intern_release(&snapshot.locations);
	free(snapshot.mapping);
	if (err)
		profile_free(snapshot.profile);
	else
		*ret_profile = snapshot.profile;
	return err;
}
