/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snapshot that every writer reads: its release, its sums and its names. Built by the recorder or the
 * reader of saved profiles, which fill the arrays themselves; immutable once it has its names.
 */
#include "profile/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/perf_map.h"
#include "profile/sample.h"
#include "binary/symbolizer.h"
#include "profile/estimate.h"

void profile_line_release(struct profile_line *line)
{
	if (line->system_name != line->function)
		free(line->system_name);
	free(line->function);
	free(line->file);
}

static void free_lines(struct profile_location *location)
{
	for (u32 i = 0; location->lines && i < location->line_count; i++)
		profile_line_release(&location->lines[i]);
	free(location->lines);
	location->lines = NULL;
	location->line_count = 0;
}

void profile_strip(struct profile *profile)
{
	for (u32 i = 0; profile->mappings && i < profile->mapping_count; i++)
		free(profile->mappings[i].path);
	for (u32 i = 0; profile->locations && i < profile->location_count; i++)
		free_lines(&profile->locations[i]);
	for (u32 i = 0; profile->samples && i < profile->sample_count; i++) {
		free(profile->samples[i].location);
		free(profile->samples[i].lifetime);
	}
	for (u32 i = 0; profile->labels && i < profile->label_count; i++) {
		free(profile->labels[i].comm);
		free(profile->labels[i].container);
		free(profile->labels[i].container_id);
	}
	free(profile->mappings);
	free(profile->locations);
	free(profile->samples);
	free(profile->labels);
	profile->mappings = NULL;
	profile->locations = NULL;
	profile->samples = NULL;
	profile->labels = NULL;
	profile->mapping_count = profile->location_count = profile->sample_count = profile->label_count = 0;
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	profile_strip(profile);
	free(profile->comm);
	free(profile->exe);
	free(profile->cgroup);
	free(profile->container);
	free(profile->container_name);
	free(profile->stem);
	free(profile);
}

/* --- sums --- */

bool measure_is_inuse(enum measure measure)
{
	return measure == INUSE_OBJECTS || measure == INUSE_SPACE;
}

bool profile_is_exact(const struct profile *profile)
{
	return profile->sample_bytes <= 1;
}

void profile_sample_values(const struct profile *profile, const struct profile_sample *sample,
			   u64 ret_values[MEASURE_MAX])
{
	u64 inuse_count = profile->alloc_only ? 0 : sample->inuse_count;

	estimate_scale(sample->alloc_count, sample->size, profile->sample_bytes, &ret_values[ALLOC_OBJECTS],
		       &ret_values[ALLOC_SPACE]);
	estimate_scale(inuse_count, sample->size, profile->sample_bytes, &ret_values[INUSE_OBJECTS],
		       &ret_values[INUSE_SPACE]);
}

void profile_totals(const struct profile *profile, u64 ret_totals[MEASURE_MAX])
{
	memset(ret_totals, 0, MEASURE_MAX * sizeof(*ret_totals));
	for (u32 i = 0; i < profile->sample_count; i++) {
		u64 value[MEASURE_MAX] = {0};

		profile_sample_values(profile, &profile->samples[i], value);
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			ret_totals[m] += value[m];
	}
}

/* --- names --- */

static int copy_string(const char *from, char **ret)
{
	char *copy = from ? strdup(from) : NULL;

	if (from && !copy)
		return -ENOMEM;
	*ret = copy;
	return 0;
}

static int copy_line(const struct symbol_line *from, struct profile_line *to)
{
	int err = copy_string(from->function ? from->function : "", &to->function);

	if (err)
		return err;
	if (!from->system_name || from->system_name == from->function)
		to->system_name = to->function;
	else
		err = copy_string(from->system_name, &to->system_name);
	if (!err)
		err = copy_string(from->file, &to->file);
	to->line = from->line;
	to->start_line = from->start_line;
	return err;
}

static int name_location(struct profile_location *location, const struct symbol_frame *frame)
{
	int err = 0;

	free_lines(location);
	if (!frame->line_count)
		return 0;
	location->lines = calloc(frame->line_count, sizeof(*location->lines));
	if (!location->lines)
		return -ENOMEM;
	location->line_count = frame->line_count;
	location->function_offset = frame->function_offset;
	for (unsigned int i = 0; !err && i < frame->line_count; i++)
		err = copy_line(&frame->lines[i], &location->lines[i]);
	return err;
}

/* A mapping has something only if every location in it has it: pprof then leaves the whole mapping alone. */
static void note_names(struct profile_mapping *mapping, const struct profile_location *location)
{
	bool named = location->line_count > 0, files = named, lines = named;

	for (u32 i = 0; i < location->line_count; i++) {
		files = files && location->lines[i].file;
		lines = lines && location->lines[i].line;
	}
	mapping->has_functions = mapping->has_functions && named;
	mapping->has_filenames = mapping->has_filenames && files;
	mapping->has_line_numbers = mapping->has_line_numbers && lines;
	/* Lines come from DWARF, and where there is DWARF the symbolizer has expanded inlining. */
	mapping->has_inline_frames = mapping->has_line_numbers;
}

static void set_has_all(struct profile_mapping *mapping, bool has)
{
	mapping->has_functions = mapping->has_filenames = has;
	mapping->has_line_numbers = mapping->has_inline_frames = has;
}

static void note_all_names(struct profile *profile)
{
	for (u32 i = 0; i < profile->mapping_count; i++)
		set_has_all(&profile->mappings[i], false);
	for (u32 i = 0; i < profile->location_count; i++)
		if (profile->locations[i].mapping < profile->mapping_count)
			set_has_all(&profile->mappings[profile->locations[i].mapping], true);
	for (u32 i = 0; i < profile->location_count; i++)
		if (profile->locations[i].mapping < profile->mapping_count)
			note_names(&profile->mappings[profile->locations[i].mapping], &profile->locations[i]);
}

/* Where code that a program made itself can be: in no file, or in one that exists in memory only. */
static bool may_be_generated(const struct profile *profile, const struct profile_location *location)
{
	return !location->line_count &&
	       (location->mapping >= profile->mapping_count || !profile->mappings[location->mapping].elf);
}

static int name_generated(const struct perf_map *perfmap, struct profile_location *location)
{
	struct symbol_line line = {0};
	struct symbol_frame frame = {.line_count = 1, .lines = &line};
	u64 start;

	line.function = line.system_name = perf_map_find(perfmap, location->address, &start);
	if (!line.function)
		return 0;
	frame.function_offset = location->address - start;
	return name_location(location, &frame);
}

/* The perf map is opened for the first such location: most processes have none. */
static int symbolize_generated(struct profile *profile)
{
	struct perf_map *perfmap = NULL;
	bool opened = false;
	int err = 0;

	profile->perf_map_refused = NULL;
	for (u32 i = 0; !err && profile->root && i < profile->location_count; i++) {
		if (!may_be_generated(profile, &profile->locations[i]))
			continue;
		if (!opened)
			err = perf_map_open(profile->root, &perfmap, &profile->perf_map_refused);
		opened = true;
		if (err || !perfmap)
			break;
		err = name_generated(perfmap, &profile->locations[i]);
	}
	perf_map_free(perfmap);
	return err;
}

static int symbolize_files(struct profile *profile, struct symbolizer *symbolizer)
{
	int err = 0;

	for (u32 i = 0; !err && i < profile->location_count; i++) {
		struct profile_location *location = &profile->locations[i];
		const struct profile_mapping *mapping;
		struct symbol_frame frame = {0};

		if (location->mapping >= profile->mapping_count)
			continue;
		mapping = &profile->mappings[location->mapping];
		if (!mapping->elf)
			continue;
		err = symbolizer_resolve(symbolizer, mapping->elf,
					 location->address - mapping->start + mapping->file_offset, &frame);
		if (!err)
			err = name_location(location, &frame);
	}
	return err;
}

int profile_symbolize(struct profile *profile, struct symbolizer *symbolizer)
{
	int err;

	symbolizer_set_root(symbolizer, profile->root);
	err = symbolize_files(profile, symbolizer);
	if (!err)
		err = symbolize_generated(profile);
	symbolizer_set_root(symbolizer, NULL);
	if (err)
		return err;
	note_all_names(profile);
	if (!profile->show_allocator)
		samples_hide_allocator(profile);
	return 0;
}
