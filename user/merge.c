/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profile that grows: its tables, and for each of them what is in it already. Fed by census with one process after the
 * other; no state beside it.
 */
#include "merge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "intern.h"
#include "origin.h"

#define UNSEEN 0xffffffffu

/* Where a file goes that has no place: above all user addresses of today, below what pprof takes for the kernel's. */
#define FREE_PLACE 0x0010000000000000ULL
#define PLACE_SIZE (1ULL << 40) /* of a larger one nobody knows what it is; it stays */
#define PAGE	   4096ULL

struct merge {
	struct profile profile; /* its texts are literals or borrowed */
	u32 mapping_capacity, location_capacity, sample_capacity;
	struct intern texts, mappings, locations, stacks, samples;
	struct origin_table origins;
	u32 *shared, shared_capacity; /* of `samples`, those that are added to: their places */
	u64 place;		      /* the next free one */
};

/* What a profile's own indices have become; UNSEEN: not needed yet. */
struct passage {
	struct merge *merge;
	const struct profile *from;
	u32 *mapping, *location, *origin;
	u32 *stack; /* of the sample at hand */
};

/* Bytes that tell a thing from all others of its kind. */
struct key {
	u8 *bytes;
	u32 size, capacity;
	bool failed;
};

static void key_put(struct key *key, const void *bytes, size_t size)
{
	if (key->failed || !size)
		return;
	if (key->size + size > key->capacity) {
		size_t capacity = 2 * (key->size + size);
		u8 *grown = capacity > UINT32_MAX ? NULL : realloc(key->bytes, capacity);

		if (!grown) {
			key->failed = true;
			return;
		}
		key->bytes = grown;
		key->capacity = (u32)capacity;
	}
	memcpy(key->bytes + key->size, bytes, size);
	key->size += size;
}

static void key_put_u64(struct key *key, u64 number)
{
	key_put(key, &number, sizeof(number));
}

/* 1: new; 0: known; -ENOMEM. The key is done with. */
static int key_intern(struct key *key, struct intern *intern, u32 *ret_index)
{
	const struct interned *entry;
	int added = key->failed ? -ENOMEM : intern_add(intern, key->bytes, key->size, &entry);

	free(key->bytes);
	if (added >= 0)
		*ret_index = entry->index;
	return added;
}

/* Room for one more in a table of `count`. */
static int grow(void *table, u32 count, u32 *capacity, size_t size)
{
	void **array = table, *grown;
	u32 wanted = *capacity ? 2 * *capacity : 64;

	if (count < *capacity)
		return 0;
	grown = wanted > *capacity ? reallocarray(*array, wanted, size) : NULL;
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*capacity = wanted;
	return 0;
}

/* NULL stays NULL. */
static int keep_text(struct merge *merge, const char *text, char **ret)
{
	const struct interned *entry;
	size_t size = text ? strlen(text) + 1 : 0;

	*ret = NULL;
	if (!text)
		return 0;
	if (size > UINT32_MAX || intern_add(&merge->texts, text, (u32)size, &entry) < 0)
		return -ENOMEM;
	*ret = (char *)entry->bytes;
	return 0;
}

/* --- mappings --- */

/* Not memory that has a name only. */
static bool is_file(const struct profile_mapping *mapping)
{
	return mapping->path && mapping->path[0] == '/' && mapping->path[1] != '/' &&
	       strncmp(mapping->path, "/memfd:", 7) != 0 && strncmp(mapping->path, "/SYSV", 5) != 0 &&
	       mapping->end > mapping->start;
}

static bool is_taken(const struct profile *profile, u64 start, u64 end)
{
	for (u32 i = 0; i < profile->mapping_count; i++)
		if (profile->mappings[i].start < end && start < profile->mappings[i].end)
			return true;
	return false;
}

static void find_place(struct merge *merge, struct profile_mapping *mapping)
{
	u64 size = mapping->end - mapping->start, inside = mapping->start % PAGE;

	if (!is_file(mapping) || size > PLACE_SIZE || !is_taken(&merge->profile, mapping->start, mapping->end))
		return;
	mapping->start = merge->place + inside;
	mapping->end = mapping->start + size;
	merge->place = (mapping->end + 2 * PAGE - 1) / PAGE * PAGE;
}

static int mapping_key(const struct profile_mapping *mapping, struct intern *intern, u32 *ret_index)
{
	bool file = is_file(mapping);
	struct key key = {0};

	key_put(&key, mapping->path ? mapping->path : "", strlen(mapping->path ? mapping->path : "") + 1);
	key_put_u64(&key, mapping->file_offset);
	key_put_u64(&key, mapping->end - mapping->start);
	key_put(&key, mapping->build_id, mapping->build_id_size);
	if (!mapping->build_id_size) {
		key_put_u64(&key, mapping->device);
		key_put_u64(&key, mapping->inode);
	}
	if (!file)
		key_put_u64(&key, mapping->start);
	return key_intern(&key, intern, ret_index);
}

static int add_mapping(struct merge *merge, const struct profile_mapping *from, u32 *ret_index)
{
	struct profile *profile = &merge->profile;
	struct profile_mapping *to;
	char *path;
	int added;

	if (grow(&profile->mappings, profile->mapping_count, &merge->mapping_capacity, sizeof(*to)) ||
	    keep_text(merge, from->path ? from->path : "", &path))
		return -ENOMEM;
	added = mapping_key(from, &merge->mappings, ret_index);
	if (added < 0)
		return added;
	to = &profile->mappings[*ret_index];
	if (added) {
		*to = *from;
		to->path = path;
		find_place(merge, to);
		profile->mapping_count++;
	}
	to->has_functions = to->has_functions && from->has_functions;
	to->has_filenames = to->has_filenames && from->has_filenames;
	to->has_line_numbers = to->has_line_numbers && from->has_line_numbers;
	to->has_inline_frames = to->has_inline_frames && from->has_inline_frames;
	return 0;
}

/* --- locations --- */

/* The texts are the merge's: each is where every equal one is. */
static int keep_lines(struct merge *merge, const struct profile_location *from, struct profile_line *lines)
{
	int err = 0;

	for (u32 i = 0; i < from->line_count && !err; i++) {
		lines[i] = from->lines[i];
		err = keep_text(merge, from->lines[i].function, &lines[i].function);
		err = err ? err : keep_text(merge, from->lines[i].system_name, &lines[i].system_name);
		err = err ? err : keep_text(merge, from->lines[i].file, &lines[i].file);
	}
	return err;
}

static int location_key(struct merge *merge, const struct profile_location *location, u32 *ret_index)
{
	struct key key = {0};

	key_put_u64(&key, location->address);
	key_put_u64(&key, location->mapping);
	key_put_u64(&key, location->function_offset);
	for (u32 i = 0; i < location->line_count; i++) {
		const struct profile_line *line = &location->lines[i];

		key_put_u64(&key, (u64)(uintptr_t)line->function);
		key_put_u64(&key, (u64)(uintptr_t)line->system_name);
		key_put_u64(&key, (u64)(uintptr_t)line->file);
		key_put_u64(&key, line->line | (u64)line->start_line << 32);
	}
	return key_intern(&key, &merge->locations, ret_index);
}

/* Where the location's mapping is in the merge, and its address there. */
static int move_location(struct passage *passage, struct profile_location *location)
{
	u32 index = location->mapping;
	const struct profile_mapping *from;
	int err = 0;

	location->mapping = MAPPING_UNKNOWN;
	if (index >= passage->from->mapping_count)
		return 0;
	from = &passage->from->mappings[index];
	if (passage->mapping[index] == UNSEEN)
		err = add_mapping(passage->merge, from, &passage->mapping[index]);
	if (err)
		return err;
	location->mapping = passage->mapping[index];
	location->address += passage->merge->profile.mappings[location->mapping].start - from->start;
	return 0;
}

static int add_location(struct passage *passage, const struct profile_location *from, u32 *ret_index)
{
	struct merge *merge = passage->merge;
	struct profile *profile = &merge->profile;
	struct profile_location to = *from;
	int added = move_location(passage, &to);

	to.lines = NULL;
	if (added || grow(&profile->locations, profile->location_count, &merge->location_capacity, sizeof(to)))
		return -ENOMEM;
	to.lines = calloc(to.line_count + 1UL, sizeof(*to.lines));
	if (!to.lines || keep_lines(merge, from, to.lines))
		added = -ENOMEM;
	else
		added = location_key(merge, &to, ret_index);
	if (added == 1)
		profile->locations[profile->location_count++] = to;
	else
		free(to.lines);
	return added < 0 ? added : 0;
}

/* --- samples --- */

static int add_stack(struct passage *passage, const struct profile_sample *from, const struct interned **ret_stack)
{
	int err = 0;

	*ret_stack = NULL;
	for (u32 i = 0; i < from->depth && !err; i++) {
		u32 index = from->location[i];

		if (index >= passage->from->location_count)
			return -EINVAL;
		if (passage->location[index] == UNSEEN)
			err = add_location(passage, &passage->from->locations[index], &passage->location[index]);
		passage->stack[i] = passage->location[index];
	}
	if (err || !from->depth)
		return err;
	err = intern_add(&passage->merge->stacks, passage->stack, from->depth * sizeof(*passage->stack), ret_stack);
	return err < 0 ? err : 0;
}

/* Where the sample is that this one is to be added to: at the end, unless one without a pid is there. UNSEEN: no memory. */
static u32 find_sample(struct merge *merge, u32 origin, const struct interned *stack, u64 size)
{
	u32 place = merge->profile.sample_count, number;
	struct key key = {0};
	int added;

	if (grow(&merge->profile.samples, place, &merge->sample_capacity, sizeof(struct profile_sample)))
		return UNSEEN;
	if (origin && merge->origins.origins[origin - 1].pid)
		return place;
	if (grow(&merge->shared, intern_count(&merge->samples), &merge->shared_capacity, sizeof(*merge->shared)))
		return UNSEEN;
	key_put_u64(&key, origin);
	key_put_u64(&key, stack ? stack->index : UNSEEN);
	key_put_u64(&key, size);
	added = key_intern(&key, &merge->samples, &number);
	if (added < 0)
		return UNSEEN;
	if (added)
		merge->shared[number] = place;
	return merge->shared[number];
}

static int add_sample(struct passage *passage, const struct profile_sample *from, u32 origin)
{
	struct profile *profile = &passage->merge->profile;
	const struct interned *stack;
	struct profile_sample *to;
	int err = add_stack(passage, from, &stack);
	u32 place;

	if (err)
		return err;
	place = find_sample(passage->merge, origin, stack, from->size);
	if (place == UNSEEN)
		return -ENOMEM;
	to = &profile->samples[place];
	if (place == profile->sample_count) {
		*to = (struct profile_sample){.origin = origin, .size = from->size, .depth = from->depth};
		to->location = stack ? (u32 *)stack->bytes : NULL;
		profile->sample_count++;
	}
	to->alloc_count += from->alloc_count;
	to->inuse_count += from->inuse_count;
	return 0;
}

/* --- profiles --- */

static u32 *unseen(u32 count)
{
	u32 *table = malloc((count + 1UL) * sizeof(*table));

	if (table)
		memset(table, 0xff, (count + 1UL) * sizeof(*table));
	return table;
}

static int passage_open(struct passage *passage, struct merge *merge, const struct profile *from)
{
	u32 depth = 0;

	for (u32 i = 0; i < from->sample_count; i++)
		depth = from->samples[i].depth > depth ? from->samples[i].depth : depth;
	*passage = (struct passage){
		.merge = merge,
		.from = from,
		.mapping = unseen(from->mapping_count),
		.location = unseen(from->location_count),
		.origin = unseen(from->origin_count),
		.stack = unseen(depth),
	};
	return passage->mapping && passage->location && passage->origin && passage->stack ? 0 : -ENOMEM;
}

static void passage_close(struct passage *passage)
{
	free(passage->mapping);
	free(passage->location);
	free(passage->origin);
	free(passage->stack);
}

/* Number 0: of no origin, which becomes `instead`. */
static int pass_origin(struct passage *passage, u32 number, u32 instead, u32 *ret_origin)
{
	u32 *seen;
	int err = 0;

	*ret_origin = instead;
	if (!number)
		return 0;
	if (number > passage->from->origin_count)
		return -EINVAL;
	seen = &passage->origin[number - 1];
	if (*seen == UNSEEN)
		err = origin_add(&passage->merge->origins, &passage->from->origins[number - 1], seen);
	*ret_origin = *seen;
	return err;
}

static int add_samples(struct merge *merge, const struct profile *from,
		       bool (*wanted)(const struct profile_origin *origin, const void *arg), const void *arg,
		       u32 instead)
{
	struct passage passage;
	int err = passage_open(&passage, merge, from);

	for (u32 i = 0; i < from->sample_count && !err; i++) {
		const struct profile_sample *sample = &from->samples[i];
		u32 origin;

		if (wanted && (!sample->origin || sample->origin > from->origin_count ||
			       !wanted(&from->origins[sample->origin - 1], arg)))
			continue;
		err = pass_origin(&passage, sample->origin, instead, &origin);
		if (!err)
			err = add_sample(&passage, sample, origin);
	}
	passage_close(&passage);
	merge->profile.origins = merge->origins.origins;
	merge->profile.origin_count = merge->origins.count;
	return err;
}

static int agree(struct merge *merge, const struct profile *from)
{
	struct profile *profile = &merge->profile;

	if (!profile->sample_bytes) {
		profile->sample_bytes = from->sample_bytes;
		profile->alloc_only = from->alloc_only;
	}
	return profile->sample_bytes == from->sample_bytes && profile->alloc_only == from->alloc_only ? 0 : -EINVAL;
}

int merge_add(struct merge *merge, const struct profile *profile, const struct profile_origin *origin)
{
	int err = agree(merge, profile);
	u32 number = 0;

	if (!err && origin)
		err = origin_add(&merge->origins, origin, &number);
	if (!err)
		err = add_samples(merge, profile, NULL, NULL, number);
	if (!err)
		merge_facts(&merge->profile, profile);
	return err;
}

int merge_select(struct merge *merge, const struct profile *from,
		 bool (*wanted)(const struct profile_origin *origin, const void *arg), const void *arg)
{
	int err = agree(merge, from);

	return err ? err : add_samples(merge, from, wanted, arg, 0);
}

static double cost(const struct profile *profile)
{
	return profile->hit_cost_ns *
	       (double)(profile->ledger[COUNTER_HITS_ALLOC] + profile->ledger[COUNTER_HITS_FREE]);
}

void merge_facts(struct profile *sum, const struct profile *more)
{
	double cost_ns = cost(sum) + cost(more), hits;
	u64 end = more->start_unix_ns + more->duration_ns, sum_end = sum->start_unix_ns + sum->duration_ns;

	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		sum->ledger[i] += more->ledger[i];
	hits = (double)(sum->ledger[COUNTER_HITS_ALLOC] + sum->ledger[COUNTER_HITS_FREE]);
	sum->cpu_ns += more->cpu_ns;
	sum->hit_cost_ns = hits > 0 ? cost_ns / hits : 0;
	sum->slowdown_percent = sum->cpu_ns ? 100 * cost_ns / (double)sum->cpu_ns : 0;
	if (!sum->processes || more->start_unix_ns < sum->start_unix_ns)
		sum->start_unix_ns = more->start_unix_ns;
	end = sum->processes && sum_end > end ? sum_end : end;
	sum->duration_ns = end - sum->start_unix_ns;
	sum->processes += more->processes ? more->processes : 1;
	sum->sample_bytes = more->sample_bytes;
	sum->alloc_only = more->alloc_only;
}

void merge_describe(struct merge *merge, const struct profile *facts)
{
	struct profile tables = merge->profile, *profile = &merge->profile;

	*profile = *facts;
	profile->mappings = tables.mappings;
	profile->mapping_count = tables.mapping_count;
	profile->locations = tables.locations;
	profile->location_count = tables.location_count;
	profile->samples = tables.samples;
	profile->sample_count = tables.sample_count;
	profile->origins = tables.origins;
	profile->origin_count = tables.origin_count;
}

const struct profile *merge_profile(const struct merge *merge)
{
	return &merge->profile;
}

struct merge *merge_new(void)
{
	struct merge *merge = calloc(1, sizeof(*merge));

	if (!merge)
		return NULL;
	merge->place = FREE_PLACE;
	merge->profile.comm = (char *)"all";
	merge->profile.stem = (char *)"all";
	return merge;
}

void merge_free(struct merge *merge)
{
	if (!merge)
		return;
	for (u32 i = 0; i < merge->profile.location_count; i++)
		free(merge->profile.locations[i].lines);
	free(merge->profile.mappings);
	free(merge->profile.locations);
	free(merge->profile.samples);
	free(merge->shared);
	origin_table_release(&merge->origins);
	intern_release(&merge->texts);
	intern_release(&merge->mappings);
	intern_release(&merge->locations);
	intern_release(&merge->stacks);
	intern_release(&merge->samples);
	free(merge);
}
