/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/go_names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "profile/equal_samples.h"

/* The locations of a profile as Go has them, and what becomes of them. */
struct renaming {
	struct profile *profile;
	u64 *parents; /* by location: the address that stands for its caller where it is inlined; 0: it is not */
	struct intern groups;
	struct profile_location *locations; /* new */
	u32 location_count;
};

/* --- names --- */

/* "main.Keep[go.shape.int]" as "main.Keep[...]": runtime/symtab.go, funcNameForPrint. *ret_text: for the caller to free. */
static int printed_name(const char *name, char **ret_text)
{
	const char *open = strchr(name, '['), *close = strrchr(name, ']');
	int length = open && close > open ? asprintf(ret_text, "%.*s[...]%s", (int)(open - name), name, close + 1)
					  : asprintf(ret_text, "%s", name);

	return length < 0 ? -ENOMEM : 0;
}

static int fill_line(struct profile *profile, const struct go_line *from, struct profile_line *to)
{
	char *printed;
	int err = printed_name(from->function, &printed);

	if (err)
		return err;
	err = profile_text(profile, printed, &to->function);
	free(printed);
	err = err ? err : profile_text(profile, from->function, &to->system_name);
	err = err ? err : profile_text(profile, from->file, &to->file);
	to->line = from->line;
	to->start_line = from->start_line;
	return err;
}

static int name_location(struct renaming *renaming, struct go_lines *lines, u32 index)
{
	struct profile_location *location = &renaming->profile->locations[index];
	const u64 bias = renaming->profile->go.bias;
	struct go_line line;

	if (go_lines_find(lines, location->address - bias, &line))
		return 0;
	location->lines = calloc(1, sizeof(*location->lines));
	if (!location->lines)
		return -ENOMEM;
	location->line_count = 1;
	location->function_offset = location->address - bias - line.entry;
	renaming->parents[index] = line.parent ? line.parent + bias : 0;
	return fill_line(renaming->profile, &line, location->lines);
}

/* Tables that cannot be read leave the stacks without names, which every reader of a profile shows. */
static int name_all(struct renaming *renaming)
{
	struct profile *profile = renaming->profile;
	struct go_image image;
	struct go_lines *lines = NULL;
	int err = go_image_read(profile->go.elf, &image);

	err = err ? err : go_lines_open(profile->go.elf, &image, &profile->go.module, &lines);
	if (err)
		return err == -ENOMEM ? err : 0;
	for (u32 i = 0; i < profile->location_count && !err; i++)
		err = name_location(renaming, lines, i);
	go_lines_free(lines);
	return err;
}

/* --- the runtime's own frames --- */

/* runtime/pprof/pprof.go, printStackRecord; internal/runtime is from Go 1.24 on. */
static bool is_runtime(const struct profile_location *location)
{
	const char *name = location->line_count ? location->lines->function : "";

	return !strncmp(name, "runtime.", 8) || !strncmp(name, "internal/runtime/", 17);
}

static void hide_runtime(const struct profile *profile, struct profile_sample *sample)
{
	u32 hidden = 0;

	while (hidden < sample->depth && is_runtime(&profile->locations[sample->location[hidden]]))
		hidden++;
	if (hidden == sample->depth)
		return;
	sample->depth -= hidden;
	memmove(sample->location, sample->location + hidden, sample->depth * sizeof(*sample->location));
}

/* --- inlined functions --- */

/* How many frames from `first` on are one physical frame. */
static u32 group_size(const struct renaming *renaming, const struct profile_sample *sample, u32 first)
{
	u32 end = first + 1;

	while (end < sample->depth) {
		u64 parent = renaming->parents[sample->location[end - 1]];

		if (!parent || renaming->profile->locations[sample->location[end]].address != parent)
			break;
		end++;
	}
	return end - first;
}

/* Lines are copied: one logical frame may be in several physical ones, whose leaf differs. Their texts are the profile's. */
static int make_location(struct renaming *renaming, const u32 *frames, u32 count)
{
	const struct profile_location *leaf = &renaming->profile->locations[*frames];
	struct profile_location *made;
	u32 lines = 0;

	if (array_grow(&renaming->locations, renaming->location_count, 1))
		return -ENOMEM;
	made = &renaming->locations[renaming->location_count++];
	*made = *leaf;
	made->lines = leaf->line_count ? calloc(count, sizeof(*made->lines)) : NULL;
	made->line_count = 0;
	if (leaf->line_count && !made->lines)
		return -ENOMEM;
	for (u32 i = 0; i < count && made->lines; i++)
		if (renaming->profile->locations[frames[i]].line_count)
			made->lines[lines++] = renaming->profile->locations[frames[i]].lines[0];
	made->line_count = lines;
	return 0;
}

static int regroup_sample(struct renaming *renaming, struct profile_sample *sample)
{
	u32 depth = 0;

	for (u32 first = 0, size; first < sample->depth; first += size) {
		const struct interned *entry;
		int added;

		size = group_size(renaming, sample, first);
		added = intern_add(&renaming->groups, &sample->location[first], size * sizeof(u32), &entry);
		if (added > 0 && make_location(renaming, &sample->location[first], size))
			return -ENOMEM;
		if (added < 0)
			return added;
		sample->location[depth++] = entry->index;
	}
	sample->depth = depth;
	return 0;
}

static void take_locations(struct renaming *renaming)
{
	struct profile *profile = renaming->profile;

	for (u32 i = 0; i < profile->location_count; i++)
		profile_lines_release(&profile->locations[i]);
	free(profile->locations);
	profile->locations = renaming->locations;
	profile->location_count = renaming->location_count;
}

static int regroup(struct renaming *renaming)
{
	struct profile *profile = renaming->profile;
	int err = array_grow(&renaming->locations, 0, 1);

	for (u32 i = 0; i < profile->sample_count && !err; i++)
		err = regroup_sample(renaming, &profile->samples[i]);
	take_locations(renaming);
	return err;
}

int go_names_apply(struct profile *profile)
{
	struct renaming renaming = {.profile = profile};
	int err;

	renaming.parents = calloc(profile->location_count + 1UL, sizeof(*renaming.parents));
	err = renaming.parents ? name_all(&renaming) : -ENOMEM;
	for (u32 i = 0; i < profile->sample_count && !err && !profile->show_allocator; i++)
		hide_runtime(profile, &profile->samples[i]);
	if (!err)
		err = regroup(&renaming);
	intern_release(&renaming.groups);
	free(renaming.parents);
	return err ? err : profile_merge_samples(profile);
}
