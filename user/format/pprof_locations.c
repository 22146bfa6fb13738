/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a pprof message's mappings, functions and locations to those of a profile. Every reference is looked up and not
 * trusted. Called by pprof_read.c.
 */
#include "format/pprof_locations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct reading {
	struct pprof_message *message;
	struct profile *profile;
	struct id_map mappings, functions;
};

/* Hexadecimal to at most 20 bytes; the size, 0 when it is anything else. */
static u8 parse_build_id(const char *text, u8 build_id[20])
{
	size_t length = strlen(text);

	if (length % 2 || length > 40 || strspn(text, "0123456789abcdefABCDEF") != length)
		return 0;
	for (size_t i = 0; i < length / 2; i++) {
		const char digits[3] = {text[2 * i], text[2 * i + 1], 0};

		build_id[i] = strtoul(digits, NULL, 16);
	}
	return length / 2;
}

static int read_mappings(struct reading *reading)
{
	const Pprof__Profile *message = reading->message->profile;
	struct profile *profile = reading->profile;
	int err = id_map_init(&reading->mappings, message->n_mapping);

	profile->mappings = calloc(message->n_mapping + 1, sizeof(*profile->mappings));
	if (err || !profile->mappings)
		return -ENOMEM;
	for (size_t i = 0; i < message->n_mapping; i++) {
		const Pprof__Mapping *from = message->mapping[i];
		struct profile_mapping *to = &profile->mappings[profile->mapping_count++];
		const char *build_id = pprof_message_string(reading->message, from->build_id);

		reading->mappings.rows[i] = (struct id_row){.id = from->id, .index = i};
		err = pprof_message_copy_string(reading->message, from->filename, &to->path);
		if (err || !build_id)
			return err ? err : -EBADMSG;
		if (!to->path && !(to->path = strdup("")))
			return -ENOMEM;
		to->start = from->memory_start;
		to->end = from->memory_limit;
		to->file_offset = from->file_offset;
		to->build_id_size = parse_build_id(build_id, to->build_id);
		to->has_functions = from->has_functions;
		to->has_filenames = from->has_filenames;
		to->has_line_numbers = from->has_line_numbers;
		to->has_inline_frames = from->has_inline_frames;
	}
	return id_map_sort(&reading->mappings);
}

static int read_functions(struct reading *reading)
{
	const Pprof__Profile *message = reading->message->profile;

	if (id_map_init(&reading->functions, message->n_function))
		return -ENOMEM;
	for (size_t i = 0; i < message->n_function; i++)
		reading->functions.rows[i] = (struct id_row){.id = message->function[i]->id, .index = i};
	return id_map_sort(&reading->functions);
}

static u32 line_number(s64 line)
{
	return line < 0 || line > UINT32_MAX ? 0 : line;
}

static int read_line(struct reading *reading, const Pprof__Line *from, struct profile_line *to)
{
	const Pprof__Function *function;
	u32 index;
	int err;

	if (!id_map_find(&reading->functions, from->function_id, &index))
		return -EBADMSG;
	function = reading->message->profile->function[index];
	err = pprof_message_copy_string(reading->message, function->name, &to->function);
	err = err ? err : pprof_message_copy_string(reading->message, function->system_name, &to->system_name);
	err = err ? err : pprof_message_copy_string(reading->message, function->filename, &to->file);
	if (err)
		return err;
	/* Some producers fill only one of the names. */
	if (!to->function && !(to->function = strdup(to->system_name ? to->system_name : "")))
		return -ENOMEM;
	if (!to->system_name)
		to->system_name = to->function;
	to->line = line_number(from->line);
	to->start_line = line_number(function->start_line);
	return 0;
}

static int read_location(struct reading *reading, const Pprof__Location *from, struct profile_location *to)
{
	int err = 0;

	to->address = from->address;
	to->mapping = MAPPING_UNKNOWN;
	if (from->mapping_id && !id_map_find(&reading->mappings, from->mapping_id, &to->mapping))
		return -EBADMSG;
	to->lines = calloc(from->n_line + 1, sizeof(*to->lines));
	if (!to->lines)
		return -ENOMEM;
	while (!err && to->line_count < from->n_line) {
		err = read_line(reading, from->line[to->line_count], &to->lines[to->line_count]);
		to->line_count++;
	}
	return err;
}

static int fill_locations(struct reading *reading, struct id_map *locations)
{
	const Pprof__Profile *message = reading->message->profile;
	struct profile *profile = reading->profile;
	int err = id_map_init(locations, message->n_location);

	profile->locations = calloc(message->n_location + 1, sizeof(*profile->locations));
	if (err || !profile->locations)
		return -ENOMEM;
	for (size_t i = 0; !err && i < message->n_location; i++) {
		locations->rows[i] = (struct id_row){.id = message->location[i]->id, .index = i};
		err = read_location(reading, message->location[i], &profile->locations[profile->location_count++]);
	}
	return err ? err : id_map_sort(locations);
}

int pprof_read_locations(struct pprof_message *message, struct profile *profile, struct id_map *locations)
{
	struct reading reading = {.message = message, .profile = profile};
	int err = read_mappings(&reading);

	err = err ? err : read_functions(&reading);
	err = err ? err : fill_locations(&reading, locations);
	id_map_release(&reading.mappings);
	id_map_release(&reading.functions);
	return err;
}
