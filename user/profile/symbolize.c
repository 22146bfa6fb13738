/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each location's lines from DWARF, symbols or a perf map, then what a mapping has of them, then the allocator's frames. */
#include "profile/symbolize.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/perf_map.h"
#include "binary/symbolizer.h"
#include "profile/allocation_name.h"
#include "profile/equal_samples.h"
#include "profile/go_names.h"

/* --- names --- */

static int copy_line(struct profile *profile, const struct symbol_line *from, struct profile_line *to)
{
	int err = profile_text(profile, from->function ? from->function : "", &to->function);

	to->line = from->line;
	to->start_line = from->start_line;
	err = err ? err : profile_text(profile, from->file, &to->file);
	if (err || !from->system_name) {
		to->system_name = to->function;
		return err;
	}
	return profile_text(profile, from->system_name, &to->system_name);
}

static int name_location(struct profile *profile, struct profile_location *location, const struct symbol_frame *frame)
{
	int err = 0;

	profile_lines_release(location);
	if (!frame->line_count)
		return 0;
	location->lines = calloc(frame->line_count, sizeof(*location->lines));
	if (!location->lines)
		return -ENOMEM;
	location->line_count = frame->line_count;
	location->function_offset = frame->function_offset;
	for (unsigned int i = 0; !err && i < frame->line_count; i++)
		err = copy_line(profile, &frame->lines[i], &location->lines[i]);
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

static int name_generated(const struct perf_map *perfmap, struct profile *profile, struct profile_location *location)
{
	struct symbol_line line = {0};
	struct symbol_frame frame = {.line_count = 1, .lines = &line};
	u64 start;

	line.function = line.system_name = perf_map_find(perfmap, location->address, &start);
	if (!line.function)
		return 0;
	frame.function_offset = location->address - start;
	return name_location(profile, location, &frame);
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
		err = name_generated(perfmap, profile, &profile->locations[i]);
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
			err = name_location(profile, location, &frame);
	}
	return err;
}

/* The dynamic linker's own way to malloc, once libc is there, is inlined into its functions. */
static bool is_inlined_malloc(const struct profile_line *line)
{
	static const char *const names[] = {"malloc", "calloc", "realloc"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (line->function && !strcmp(line->function, names[i]))
			return true;
	return false;
}

/* Remove the innermost functions inlined there, as long as they are the allocator's or the language's. True: all are. */
static bool hide_location(struct profile_location *location)
{
	u32 hidden = 0, last = location->line_count - 1;

	while (hidden < location->line_count && (allocation_name_is_internal(&location->lines[hidden]) ||
						 (hidden < last && is_inlined_malloc(&location->lines[hidden]))))
		hidden++;
	if (hidden == location->line_count)
		return hidden > 0;
	location->line_count -= hidden;
	memmove(location->lines, location->lines + hidden, location->line_count * sizeof(*location->lines));
	return false;
}

/* Whether a location is hidden is found once: there are many more samples than locations. */
enum fate {
	FATE_UNKNOWN,
	FATE_STAYS,
	FATE_GOES,
};

static bool is_hidden(struct profile *profile, u32 index, u8 *fates)
{
	if (fates[index] == FATE_UNKNOWN)
		fates[index] = hide_location(&profile->locations[index]) ? FATE_GOES : FATE_STAYS;
	return fates[index] == FATE_GOES;
}

int symbolize_hide_allocator(struct profile *profile)
{
	u8 *fates = calloc(profile->location_count + 1UL, sizeof(*fates));

	if (!fates)
		return -ENOMEM;
	for (u32 i = 0; i < profile->sample_count; i++) {
		struct profile_sample *sample = &profile->samples[i];
		u32 hidden = 0;

		while (hidden + 1 < sample->depth && is_hidden(profile, sample->location[hidden], fates))
			hidden++;
		if (!hidden)
			continue;
		sample->depth -= hidden;
		memmove(sample->location, sample->location + hidden, sample->depth * sizeof(*sample->location));
	}
	free(fates);
	return profile_merge_samples(profile);
}

int profile_symbolize(struct profile *profile, struct symbolizer *symbolizer)
{
	int err;

	if (profile->go.elf) {
		err = go_names_apply(profile);
		if (!err)
			note_all_names(profile);
		return err;
	}
	symbolizer_set_root(symbolizer, profile->root);
	err = symbolize_files(profile, symbolizer);
	if (!err)
		err = symbolize_generated(profile);
	symbolizer_set_root(symbolizer, NULL);
	if (err)
		return err;
	note_all_names(profile);
	return profile->show_allocator ? 0 : symbolize_hide_allocator(profile);
}
