/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/wrappers.h"

#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "base/intern.h"
#include "binary/elf_dynamic.h"
#include "binary/symbolizer.h"
#include "probe/argument_flow.h"
#include "profile/allocation_name.h"

/* Files whose code is kept when the next profile comes: those of one build's programs, some megabytes each. */
#define FILES_MAX 16

/* Calls whose code is looked at for one profile: half a millisecond each at most. The next profile goes on from there. */
#define CALLS_MAX 1000

/* What is noted of a call: the sizes' arguments in the callee that it was found for, and in the caller; 0: no wrapper. */
#define NOTE(callee, caller) (1u << 16 | (u32)(callee) << 8 | (caller))

/* A file whose code has been asked for. */
struct file {
	struct elf *elf;
	struct elf_dynamic *dynamic; /* NULL: none */
	struct code *code;
};

struct wrappers {
	struct symbolizer *symbolizer;
	struct file *files; /* whose code is kept */
	u32 file_count;
};

/* What was found of a location: there are many more samples than locations. Each 0: nothing yet. */
struct finding {
	u32 name; /* NOTE(0, sizes of its function by its name) */
	u32 code; /* NOTE(callee's sizes, its own by its code), for the callee that it was looked at with last */
	bool marked;
};

struct finder {
	struct profile *profile;
	struct wrappers *wrappers;
	struct finding *findings; /* by location */
	u32 calls;
	struct intern functions; /* that are wrappers: where their names are */
};

static void file_release(struct file *file)
{
	code_free(file->code);
	elf_dynamic_free(file->dynamic);
}

struct wrappers *wrappers_new(struct symbolizer *symbolizer)
{
	struct wrappers *wrappers = calloc(1, sizeof(*wrappers));

	if (wrappers)
		wrappers->symbolizer = symbolizer;
	return wrappers;
}

void wrappers_drop(struct wrappers *wrappers)
{
	for (u32 i = 0; i < wrappers->file_count; i++)
		file_release(&wrappers->files[i]);
	free(wrappers->files);
	wrappers->files = NULL;
	wrappers->file_count = 0;
}

void wrappers_free(struct wrappers *wrappers)
{
	if (!wrappers)
		return;
	wrappers_drop(wrappers);
	free(wrappers);
}

/* NULL: no memory. */
static struct code *code_of(struct wrappers *wrappers, struct elf *elf)
{
	struct file file = {.elf = elf};

	for (u32 i = 0; i < wrappers->file_count; i++)
		if (wrappers->files[i].elf == elf)
			return wrappers->files[i].code;
	if (array_grow(&wrappers->files, wrappers->file_count, 1))
		return NULL;
	if (elf_dynamic_open(elf, &file.dynamic))
		file.dynamic = NULL;
	file.code = code_new(elf, file.dynamic);
	if (file.code)
		wrappers->files[wrappers->file_count++] = file;
	else
		file_release(&file);
	return file.code;
}

static bool is_allocation(const char *name)
{
	return allocation_name_sizes_of(name);
}

/* The caller's own arguments that make up the arguments `sizes` of a call; 0: they are made of something else. */
static u8 handed_on(const struct argument_flow *flow, u8 sizes)
{
	u8 from = 0;

	for (u32 i = 0; i < FLOW_ARGUMENTS; i++) {
		if (!(sizes & 1 << i))
			continue;
		if (!flow->from[i] && !(flow->one & 1 << i))
			return 0;
		from |= flow->from[i];
	}
	return flow->hands_back ? from : 0;
}

/* Which arguments of the leaf's callee are sizes: by its name, or as it jumps on to one whose name is known. */
static int callee_sizes(struct finder *finder, struct elf *elf, struct code *code, const struct code_place *callee,
			u8 *ret_sizes)
{
	struct symbol_frame frame = {0};
	struct argument_flow flow;
	const char *name = callee->name;
	int err = 0;

	*ret_sizes = 0;
	if (!name && callee->offset)
		err = symbolizer_resolve(finder->wrappers->symbolizer, elf, callee->offset, &frame);
	if (!err && frame.line_count && !frame.function_offset)
		name = frame.lines[frame.line_count - 1].system_name;
	if (name)
		*ret_sizes = allocation_name_sizes_of(name);
	if (!*ret_sizes && callee->offset && argument_flow_find(code, callee->offset, 0, is_allocation, &flow) &&
	    flow.callee.name)
		*ret_sizes = handed_on(&flow, allocation_name_sizes_of(flow.callee.name));
	return err;
}

/* `sizes`: of the callee; 0: not known yet, the location is the leaf's. *ret_sizes: of the location's own function. */
static int look_at_code(struct finder *finder, const struct profile_location *location, u64 offset, u8 sizes,
			u8 *ret_sizes)
{
	struct elf *elf = finder->profile->mappings[location->mapping].elf;
	struct code *code = code_of(finder->wrappers, elf);
	struct argument_flow flow;
	int err = 0;

	if (!code)
		return -ENOMEM;
	if (!argument_flow_find(code, offset - location->function_offset, offset + 1, is_allocation, &flow))
		return 0;
	if (!sizes)
		err = callee_sizes(finder, elf, code, &flow.callee, &sizes);
	*ret_sizes = sizes ? handed_on(&flow, sizes) : 0;
	return err;
}

/* As look_at_code, for a location in any code: answers are kept with its name. */
static int ask_code(struct finder *finder, const struct profile_location *location, u8 sizes, u8 *ret_sizes)
{
	const struct profile_mapping *mapping;
	u64 offset;
	u32 *note;
	int err;

	*ret_sizes = 0;
	if (location->mapping >= finder->profile->mapping_count || !location->function_offset)
		return 0;
	mapping = &finder->profile->mappings[location->mapping];
	if (!mapping->elf)
		return 0;
	offset = location->address - mapping->start + mapping->file_offset;
	note = symbolizer_note(finder->wrappers->symbolizer, mapping->elf, offset);
	if (note && (*note & ~0xffu) == NOTE(sizes, 0)) {
		*ret_sizes = (u8)*note;
		return 0;
	}
	if (!note || finder->calls++ >= CALLS_MAX)
		return 0;
	err = look_at_code(finder, location, offset, sizes, ret_sizes);
	if (!err)
		*note = NOTE(sizes, *ret_sizes);
	return err;
}

static int find_by_code(struct finder *finder, u32 index, u8 sizes, u8 *ret_sizes)
{
	u32 *found = &finder->findings[index].code;
	int err = 0;

	if ((*found & ~0xffu) != NOTE(sizes, 0)) {
		err = ask_code(finder, &finder->profile->locations[index], sizes, ret_sizes);
		*found = err ? 0 : NOTE(sizes, *ret_sizes);
	}
	*ret_sizes = (u8)*found;
	return err;
}

static u8 find_by_name(struct finder *finder, u32 index)
{
	const struct profile_location *location = &finder->profile->locations[index];
	u32 *found = &finder->findings[index].name;

	if (!*found)
		*found = NOTE(0, allocation_name_sizes(&location->lines[location->line_count - 1]));
	return (u8)*found;
}

/* All of the location: what is inlined there is inside the wrapper. */
static int mark(struct finder *finder, u32 index)
{
	struct profile_location *location = &finder->profile->locations[index];
	const struct interned *entry;

	if (finder->findings[index].marked)
		return 0;
	finder->findings[index].marked = true;
	for (u32 i = 0; i < location->line_count; i++) {
		location->lines[i].role = FRAME_WRAPPER;
		if (intern_add(&finder->functions, &location->lines[i].system_name, sizeof(char *), &entry) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int walk(struct finder *finder, const struct profile_sample *sample)
{
	u8 sizes = 0, known;
	int err = 0;

	for (u32 i = 0; !err && i < sample->depth; i++) {
		u32 index = sample->location[i];

		if (!finder->profile->locations[index].line_count)
			return 0;
		known = find_by_name(finder, index);
		if (!known)
			err = find_by_code(finder, index, sizes, &known);
		if (err || !known)
			return err;
		sizes = known;
		err = mark(finder, index);
	}
	return err;
}

/* A function that is a wrapper where it was called is one where it was inlined. */
static void mark_inlined(struct finder *finder)
{
	for (u32 i = 0; i < finder->profile->location_count; i++) {
		struct profile_location *location = &finder->profile->locations[i];

		for (u32 j = 0; j + 1 < location->line_count; j++)
			if (intern_find(&finder->functions, &location->lines[j].system_name, sizeof(char *)))
				location->lines[j].role = FRAME_WRAPPER;
	}
}

int wrappers_find(struct wrappers *wrappers, struct profile *profile)
{
	struct finder finder = {
		.profile = profile,
		.wrappers = wrappers,
		.findings = calloc(profile->location_count + 1UL, sizeof(struct finding)),
	};
	int err = finder.findings ? 0 : -ENOMEM;

	if (wrappers->file_count > FILES_MAX)
		wrappers_drop(wrappers);
	symbolizer_set_root(wrappers->symbolizer, profile->root);
	for (u32 i = 0; !err && i < profile->sample_count; i++)
		err = walk(&finder, &profile->samples[i]);
	symbolizer_set_root(wrappers->symbolizer, NULL);
	if (!err)
		mark_inlined(&finder);
	intern_release(&finder.functions);
	free(finder.findings);
	return err;
}
