/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When two processes' files, places in a file, or names are the same. */
#include "profile/merge_tables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "system/procfs.h"

#define PLACE_SIZE (1ULL << 40) /* a larger mapping is no real file, and stays where it is */
#define PAGE	   4096ULL

/* --- mappings --- */

/* Not memory that has a name only. */
static bool is_file(const struct profile_mapping *mapping)
{
	return mapping->path && mapping->path[0] == '/' && mapping->path[1] != '/' &&
	       !procfs_is_memory(mapping->path) && mapping->end > mapping->start;
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
	struct intern_key key = {0};

	intern_key_put_text(&key, mapping->path ? mapping->path : "");
	intern_key_put_u64(&key, mapping->file_offset);
	intern_key_put_u64(&key, mapping->end - mapping->start);
	intern_key_put(&key, mapping->build_id, mapping->build_id_size);
	if (!mapping->build_id_size) {
		intern_key_put_u64(&key, mapping->device);
		intern_key_put_u64(&key, mapping->inode);
	}
	if (!file)
		intern_key_put_u64(&key, mapping->start);
	return intern_add_key(intern, &key, ret_index);
}

static int add_mapping(struct merge *merge, const struct profile_mapping *from, u32 *ret_index)
{
	struct profile *profile = &merge->profile;
	struct profile_mapping *to;
	char *path;
	int added;

	if (array_grow(&profile->mappings, profile->mapping_count, 1) ||
	    profile_text(&merge->profile, from->path ? from->path : "", &path))
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
		err = profile_text(&merge->profile, from->lines[i].function, &lines[i].function);
		err = err ? err : profile_text(&merge->profile, from->lines[i].system_name, &lines[i].system_name);
		err = err ? err : profile_text(&merge->profile, from->lines[i].file, &lines[i].file);
	}
	return err;
}

/*
 * A place in a file has one name, or none where a process was gone before its file could be opened. In memory without a
 * file, each process may have other code at the same address.
 */
static int location_key(struct merge *merge, const struct profile_location *location, u32 *ret_index)
{
	struct intern_key key = {0};

	intern_key_put_u64(&key, location->address);
	intern_key_put_u64(&key, location->mapping);
	if (location->mapping < merge->profile.mapping_count && is_file(&merge->profile.mappings[location->mapping]))
		return intern_add_key(&merge->locations, &key, ret_index);
	intern_key_put_u64(&key, location->function_offset);
	for (u32 i = 0; i < location->line_count; i++) {
		const struct profile_line *line = &location->lines[i];

		intern_key_put_u64(&key, (u64)(uintptr_t)line->function);
		intern_key_put_u64(&key, (u64)(uintptr_t)line->system_name);
		intern_key_put_u64(&key, (u64)(uintptr_t)line->file);
		intern_key_put_u64(&key, line->line | (u64)line->start_line << 32);
	}
	return intern_add_key(&merge->locations, &key, ret_index);
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

/* The same place once more, which may be the first to have a name. Takes over the lines of `again`, or frees them. */
static void name_location(struct profile_location *location, const struct profile_location *again)
{
	struct profile_line *lines = location->lines;

	if (location->line_count || !again->line_count) {
		free(again->lines);
		return;
	}
	*location = *again;
	free(lines);
}

int merge_tables_location(struct passage *passage, const struct profile_location *from, u32 *ret_index)
{
	struct merge *merge = passage->merge;
	struct profile *profile = &merge->profile;
	struct profile_location to = *from;
	int added = move_location(passage, &to);

	to.lines = NULL;
	if (added || array_grow(&profile->locations, profile->location_count, 1))
		return -ENOMEM;
	to.lines = calloc(to.line_count + 1UL, sizeof(*to.lines));
	if (!to.lines || keep_lines(merge, from, to.lines))
		added = -ENOMEM;
	else
		added = location_key(merge, &to, ret_index);
	if (added == 1)
		profile->locations[profile->location_count++] = to;
	else if (!added)
		name_location(&profile->locations[*ret_index], &to);
	else
		free(to.lines);
	return added < 0 ? added : 0;
}
