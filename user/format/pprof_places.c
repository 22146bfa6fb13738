/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/pprof_places.h"

#include <stdlib.h>
#include <string.h>

#include "view/code_label.h"

/* --- which --- */

/* The number of mappings where none is of that path. */
static u32 find_mapping(const struct profile *profile, const char *path)
{
	for (u32 i = 0; path && i < profile->mapping_count; i++)
		if (profile->mappings[i].path && !strcmp(profile->mappings[i].path, path))
			return i;
	return profile->mapping_count;
}

static bool make_tables(struct pprof_builder *builder, struct pprof_places *places)
{
	const struct profile *profile = builder->profile;

	*places = (struct pprof_places){
		.mapping_ids = calloc(profile->mapping_count + 1UL, sizeof(*places->mapping_ids)),
		.location_ids = calloc(profile->location_count + 1UL, sizeof(*places->location_ids)),
	};
	if (places->mapping_ids && places->location_ids)
		return true;
	builder->failed = true;
	return false;
}

/* From marks to ids. */
static void number(u32 *ids, u32 count, u32 next)
{
	for (u32 i = 0; i < count; i++)
		if (ids[i])
			ids[i] = next++;
}

static void number_all(const struct profile *profile, struct pprof_places *places)
{
	places->mapping_ids[places->main] = 0;
	number(places->mapping_ids, profile->mapping_count, 2);
	places->mapping_ids[places->main] = 1;
	number(places->location_ids, profile->location_count, 1);
}

void pprof_places_take_all(struct pprof_builder *builder, struct pprof_places *ret_places)
{
	const struct profile *profile = builder->profile;

	if (!make_tables(builder, ret_places))
		return;
	ret_places->main = find_mapping(profile, profile->exe);
	if (ret_places->main == profile->mapping_count)
		ret_places->main = 0;
	for (u32 i = 0; i < profile->mapping_count; i++)
		ret_places->mapping_ids[i] = 1;
	for (u32 i = 0; i < profile->location_count; i++)
		ret_places->location_ids[i] = 1;
	number_all(profile, ret_places);
}

static void mark_stack(const struct profile *profile, const struct stack_sum *row, struct pprof_places *places)
{
	for (u32 i = 0; i < row->depth; i++) {
		u32 mapping = profile->locations[row->location[i]].mapping;

		places->location_ids[row->location[i]] = 1;
		if (mapping < profile->mapping_count)
			places->mapping_ids[mapping] = 1;
	}
}

/* The first one that is used, where the program's is not known. */
static u32 main_of_used(const struct profile *profile, const char *exe, const struct pprof_places *places)
{
	u32 main = find_mapping(profile, exe);

	if (main < profile->mapping_count)
		return main;
	main = 0;
	while (main < profile->mapping_count && !places->mapping_ids[main])
		main++;
	return main;
}

void pprof_places_take_used(struct pprof_builder *builder, const char *exe, const struct stack_sum *rows, u32 count,
			    struct pprof_places *ret_places)
{
	if (!make_tables(builder, ret_places))
		return;
	for (u32 i = 0; i < count; i++)
		mark_stack(builder->profile, &rows[i], ret_places);
	ret_places->main = main_of_used(builder->profile, exe, ret_places);
	number_all(builder->profile, ret_places);
}

void pprof_places_release(struct pprof_places *places)
{
	free(places->mapping_ids);
	free(places->location_ids);
	*places = (struct pprof_places){0};
}

/* --- mappings --- */

static void fill_mapping(struct pprof_builder *builder, const struct profile_mapping *mapping, Pprof__Mapping *message)
{
	char build_id[PROFILE_BUILD_ID_SIZE];

	message->memory_start = mapping->start;
	message->memory_limit = mapping->end;
	message->file_offset = mapping->file_offset;
	message->filename = pprof_builder_string(builder, mapping->path);
	message->build_id = pprof_builder_string(builder, profile_build_id(mapping, build_id));
	message->has_functions = mapping->has_functions;
	message->has_filenames = mapping->has_filenames;
	message->has_line_numbers = mapping->has_line_numbers;
	message->has_inline_frames = mapping->has_inline_frames;
}

static void write_mapping(struct pprof_builder *builder, u32 id, u32 index)
{
	Pprof__Mapping message = PPROF__MAPPING__INIT, *list = &message;

	message.id = id;
	if (index < builder->profile->mapping_count)
		fill_mapping(builder, &builder->profile->mappings[index], &message);
	builder->part.mapping = &list;
	builder->part.n_mapping = 1;
	pprof_builder_write(builder);
}

/* There must be at least one: old readers attach the main program's name to it. */
static void write_mappings(struct pprof_builder *builder, const struct pprof_places *places)
{
	write_mapping(builder, 1, places->main);
	for (u32 i = 0; i < builder->profile->mapping_count; i++)
		if (i != places->main && places->mapping_ids[i])
			write_mapping(builder, places->mapping_ids[i], i);
}

/* --- locations --- */

/* Every location has a line: speedscope, and pprof's flame graph since Go 1.24, leave out those without. */
static void name_unnamed(struct pprof_builder *builder, const struct profile_location *location,
			 Pprof__Location *message)
{
	char name[CODE_LABEL_BRACKETED_SIZE];
	const struct profile_line line = {.function = name, .system_name = name};

	code_label_bracketed(builder->profile, location, name);
	message->line = pprof_builder_messages(builder, &pprof__line__descriptor, 1, &message->n_line);
	if (message->n_line)
		message->line[0]->function_id = pprof_builder_function(builder, &line);
}

static void fill_location(struct pprof_builder *builder, const struct pprof_places *places,
			  const struct profile_location *location, Pprof__Location *message)
{
	message->address = location->address;
	if (location->mapping < builder->profile->mapping_count)
		message->mapping_id = places->mapping_ids[location->mapping];
	if (!location->line_count) {
		name_unnamed(builder, location, message);
		return;
	}
	message->line =
		pprof_builder_messages(builder, &pprof__line__descriptor, location->line_count, &message->n_line);
	for (size_t i = 0; i < message->n_line; i++) {
		message->line[i]->function_id = pprof_builder_function(builder, &location->lines[i]);
		message->line[i]->line = location->lines[i].line;
	}
}

static void write_location(struct pprof_builder *builder, const struct pprof_places *places, u32 index)
{
	Pprof__Location message = PPROF__LOCATION__INIT, *list = &message;

	message.id = places->location_ids[index];
	fill_location(builder, places, &builder->profile->locations[index], &message);
	builder->part.location = &list;
	builder->part.n_location = 1;
	pprof_builder_write(builder);
}

void pprof_places_write(struct pprof_builder *builder, const struct pprof_places *places)
{
	if (builder->failed)
		return;
	write_mappings(builder, places);
	for (u32 i = 0; i < builder->profile->location_count; i++)
		if (places->location_ids[i])
			write_location(builder, places, i);
}
