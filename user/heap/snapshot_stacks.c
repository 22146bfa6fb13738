/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/snapshot_stacks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"
#include "include/config.h"
#include "include/stackcut.h"
#include "profile/allocation_name.h"
#include "system/address_map.h"

/* Places of stacks are met again and again: where one's location was found last, and for stacks of which time. A table as large as
 * the profile wants: of a thousand small processes, zeroing large ones would take longer than all else. */
#define RECENT_LEAST	64
#define RECENT_MOST	4096
#define RECENT_A_SAMPLE 8
struct recent {
	u64 address;
	struct mapping_span span;
	u32 location; /* plus one; 0: none yet */
	bool mapped;
};

/* To a reader two mappings that agree in all of this are one, whenever they were made: a library that comes and goes. */
static int mapping_number(struct snapshot_stacks *stacks, const struct mapping *from, u32 *ret_index)
{
	struct intern_key key = {0};

	intern_key_put_u64(&key, from->start);
	intern_key_put_u64(&key, from->end);
	intern_key_put_u64(&key, from->file_offset);
	intern_key_put_u64(&key, from->device);
	intern_key_put_u64(&key, from->inode);
	intern_key_put(&key, &from->elf, sizeof(from->elf));
	intern_key_put_text(&key, from->path);
	return intern_add_key(&stacks->known_mappings, &key, ret_index);
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

static int copy_mappings(struct snapshot_stacks *stacks)
{
	const struct address_map *table = stacks->mappings;
	struct profile *profile = stacks->profile;
	u32 count = address_map_count(table);
	int added, err = 0;

	profile->mappings = calloc(count + 1, sizeof(*profile->mappings));
	stacks->mapping = calloc(count + 1, sizeof(*stacks->mapping));
	if (!profile->mappings || !stacks->mapping)
		return -ENOMEM;
	for (u32 i = 0; i < count && !err; i++) {
		added = mapping_number(stacks, address_map_get(table, i), &stacks->mapping[i]);
		if (added > 0)
			err = copy_mapping(address_map_get(table, i), &profile->mappings[profile->mapping_count++]);
		else
			err = added;
	}
	return err;
}

/* The location of that address in that mapping: 1 when it is met for the first time, 0, or -ENOMEM. */
static int location_add(struct snapshot_stacks *stacks, u64 address, u32 mapping, u32 *ret_index)
{
	struct profile *profile = stacks->profile;
	const u64 key[] = {address, mapping};
	const struct interned *entry;
	int added;

	if (array_grow(&profile->locations, profile->location_count, 1))
		return -ENOMEM;
	added = intern_add(&stacks->known_locations, key, sizeof(key), &entry);
	if (added < 0)
		return added;
	*ret_index = entry->index;
	if (added)
		profile->locations[profile->location_count++] =
			(struct profile_location){.address = address, .mapping = mapping};
	return added;
}

static bool is_within_allocator(const struct mapping *mapping, u64 address)
{
	u64 offset = address - mapping->start + mapping->file_offset;

	for (u32 i = 0; mapping->allocator && i < mapping->allocator->count; i++)
		if (offset >= mapping->allocator->range[i].start && offset < mapping->allocator->range[i].end)
			return true;
	return allocation_name_is_library(mapping->path);
}

/* The location of a return address, made when first met. 0; -ENOENT: it lies in no known mapping; -ENOMEM. */
static int location_get(struct snapshot_stacks *stacks, u64 ip, u64 time_ns, u32 *ret_index)
{
	u64 address = ip ? ip - 1 : 0;
	struct recent *recent = &stacks->recent[(address ^ address >> 12) & (stacks->recent_count - 1)];
	const struct mapping *found;
	struct mapping_span span;

	if (!recent->location || recent->address != address || time_ns < recent->span.from_ns ||
	    time_ns >= recent->span.until_ns) {
		found = address_map_find_span(stacks->mappings, address, time_ns, &span);
		int added = location_add(stacks, address, found ? stacks->mapping[found->index] : MAPPING_UNKNOWN,
					 ret_index);

		if (added < 0)
			return -ENOMEM;
		if (added && found && stacks->profile->kind == PROFILE_REGIONS)
			stacks->profile->locations[*ret_index].within_allocator = is_within_allocator(found, address);
		*recent = (struct recent){address, span, *ret_index + 1, found};
	}
	*ret_index = recent->location - 1;
	return recent->mapped ? 0 : -ENOENT;
}

static int name_sign(struct profile *profile, struct profile_location *sign, const char *name)
{
	sign->lines = calloc(1, sizeof(*sign->lines));
	if (!sign->lines || profile_text(profile, name, &sign->lines->function))
		return -ENOMEM;
	sign->lines->system_name = sign->lines->function;
	sign->line_count = 1;
	return 0;
}

/* Locations of no code, which stand for something else: their addresses here, and their names. */
#define CUT_ADDRESS	  UINT64_MAX
#define ALLOCATOR_ADDRESS (UINT64_MAX - 1)

static int sign_get(struct snapshot_stacks *stacks, u64 address, const char *name, u32 *ret_index)
{
	int added = location_add(stacks, address, MAPPING_UNKNOWN, ret_index);

	if (added <= 0)
		return added;
	stacks->profile->locations[*ret_index].address = 0;
	return name_sign(stacks->profile, &stacks->profile->locations[*ret_index], name);
}

/* The location that stands for what was left out of stacks that were too deep. 0 or -ENOMEM. */
static int cut_get(struct snapshot_stacks *stacks, u32 *ret_index)
{
	return sign_get(stacks, CUT_ADDRESS, PROFILE_TRUNCATED, ret_index);
}

/*
 * A frame-pointer walk over code without frame pointers yields numbers that are no code. The leaf is always right; from
 * the first frame on that lies in no mapping nothing is, so the stack ends there.
 */
int snapshot_stacks_add(struct snapshot_stacks *stacks, const struct stack *stack, struct profile_sample *sample)
{
	u32 depth = 0;
	int err = 0;

	while (depth < stack->depth && !err) {
		u32 *location = &sample->location[depth];

		err = stack->ip[depth] == STACK_LEFT_OUT
			      ? cut_get(stacks, location)
			      : location_get(stacks, stack->ip[depth], stack->first_ns, location);
		depth += !err;
	}
	sample->depth = depth ? depth : 1;
	return err == -ENOENT ? 0 : err;
}

int snapshot_stacks_mark(struct snapshot_stacks *stacks, struct profile_sample *sample)
{
	u32 frame = 0, *marked;

	while (frame < sample->depth && !stacks->profile->locations[sample->location[frame]].within_allocator)
		frame++;
	if (frame == sample->depth)
		return 0;
	marked = profile_stack(stacks->profile, sample->depth + 1);
	if (!marked || sign_get(stacks, ALLOCATOR_ADDRESS, PROFILE_ALLOCATOR, marked))
		return -ENOMEM;
	memcpy(marked + 1, sample->location, sample->depth * sizeof(*marked));
	sample->location = marked;
	sample->depth++;
	return 0;
}

/* A power of two. */
static u32 recent_count(u32 samples)
{
	u32 count = RECENT_LEAST;

	while (count < RECENT_MOST && count / RECENT_A_SAMPLE < samples)
		count *= 2;
	return count;
}

int snapshot_stacks_begin(struct snapshot_stacks *stacks, struct profile *profile)
{
	stacks->profile = profile;
	stacks->recent_count = recent_count(profile->sample_count);
	stacks->recent = calloc(stacks->recent_count, sizeof(*stacks->recent));
	return stacks->recent ? copy_mappings(stacks) : -ENOMEM;
}

void snapshot_stacks_release(struct snapshot_stacks *stacks)
{
	intern_release(&stacks->known_mappings);
	intern_release(&stacks->known_locations);
	address_map_free(stacks->mappings);
	free(stacks->mapping);
	free(stacks->recent);
}
