/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The snapshot that every writer reads: its release, its sums, its names and its sites. Built by the recorder or the
 * reader of saved profiles, which fill the arrays themselves; immutable once it has its names.
 */
#include "profile.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lifespan.h"
#include "perfmap.h"
#include "sample.h"
#include "symbol.h"
#include "weight.h"

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
	for (u32 i = 0; profile->origins && i < profile->origin_count; i++) {
		free(profile->origins[i].comm);
		free(profile->origins[i].container);
		free(profile->origins[i].container_id);
	}
	free(profile->mappings);
	free(profile->locations);
	free(profile->samples);
	free(profile->origins);
	profile->mappings = NULL;
	profile->locations = NULL;
	profile->samples = NULL;
	profile->origins = NULL;
	profile->mapping_count = profile->location_count = profile->sample_count = profile->origin_count = 0;
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

/* --- sums
 * --------------------------------------------------------------------------------------------------------------- */

void profile_sample_values(const struct profile *profile, const struct profile_sample *sample,
			   u64 ret_values[MEASURE_MAX])
{
	u64 inuse_count = profile->alloc_only ? 0 : sample->inuse_count;

	weight_scale(sample->alloc_count, sample->size, profile->sample_bytes, &ret_values[ALLOC_OBJECTS],
		     &ret_values[ALLOC_SPACE]);
	weight_scale(inuse_count, sample->size, profile->sample_bytes, &ret_values[INUSE_OBJECTS],
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

/* --- names
 * -------------------------------------------------------------------------------------------------------------- */

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

static int name_generated(const struct perfmap *perfmap, struct profile_location *location)
{
	struct symbol_line line = {0};
	struct symbol_frame frame = {.line_count = 1, .lines = &line};
	u64 start;

	line.function = line.system_name = perfmap_find(perfmap, location->address, &start);
	if (!line.function)
		return 0;
	frame.function_offset = location->address - start;
	return name_location(location, &frame);
}

/* The perf map is opened for the first such location: most processes have none. */
static int symbolize_generated(struct profile *profile)
{
	struct perfmap *perfmap = NULL;
	bool opened = false;
	int err = 0;

	profile->perfmap_refused = NULL;
	for (u32 i = 0; !err && profile->root && i < profile->location_count; i++) {
		if (!may_be_generated(profile, &profile->locations[i]))
			continue;
		if (!opened)
			err = perfmap_open(profile->root, &perfmap, &profile->perfmap_refused);
		opened = true;
		if (err || !perfmap)
			break;
		err = name_generated(perfmap, &profile->locations[i]);
	}
	perfmap_free(perfmap);
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

/* --- sites
 * -------------------------------------------------------------------------------------------------------------- */

static int compare_u64(u64 a, u64 b)
{
	return a < b ? -1 : a > b;
}

static int compare_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

/* 0 when two locations belong to one site: same physical function, same line at the leaf; unnamed ones by address. */
static int compare_site(const struct profile_location *a, const struct profile_location *b)
{
	int order;

	if (!a->line_count || !b->line_count) {
		if (a->line_count || b->line_count)
			return a->line_count ? -1 : 1;
		return compare_u64(a->address, b->address);
	}
	order = compare_text(a->lines[a->line_count - 1].system_name, b->lines[b->line_count - 1].system_name);
	if (!order)
		order = compare_text(a->lines[0].file, b->lines[0].file);
	if (!order)
		order = compare_u64(a->lines[0].line, b->lines[0].line);
	return order;
}

static int compare_location(const void *a, const void *b)
{
	const struct profile_location *const *left = a, *const *right = b;
	int order = compare_site(*left, *right);

	return order ? order : compare_u64((u64)(uintptr_t)*left, (u64)(uintptr_t)*right);
}

/* ret_site[i] becomes the number of the site that location i belongs to; *ret_count their number. */
static int number_sites(const struct profile *profile, u32 *ret_site, u32 *ret_count)
{
	const struct profile_location **sorted;
	u32 count = 0;

	sorted = calloc(profile->location_count + 1UL, sizeof(const struct profile_location *));
	if (!sorted)
		return -ENOMEM;
	for (u32 i = 0; i < profile->location_count; i++)
		sorted[i] = &profile->locations[i];
	qsort(sorted, profile->location_count, sizeof(const struct profile_location *), compare_location);
	for (u32 i = 0; i < profile->location_count; i++) {
		if (i && compare_site(sorted[i - 1], sorted[i]))
			count++;
		ret_site[sorted[i] - profile->locations] = count;
	}
	*ret_count = profile->location_count ? count + 1 : 0;
	free(sorted);
	return 0;
}

/* Adds a sample to its site; stderr_value holds variances until the end. *heaviest is the value of the site's example.
 */
static void add_sample(const struct profile *profile, const struct profile_sample *sample, enum measure by,
		       struct profile_site *site, u64 *heaviest)
{
	u64 inuse_count = profile->alloc_only ? 0 : sample->inuse_count;
	u64 count[MEASURE_MAX] = {sample->alloc_count, sample->alloc_count, inuse_count, inuse_count};
	u64 value[MEASURE_MAX];

	profile_sample_values(profile, sample, value);
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		site->value[m] += value[m];
		site->stderr_value[m] +=
			m == ALLOC_OBJECTS || m == INUSE_OBJECTS
				? weight_variance_objects(count[m], sample->size, profile->sample_bytes)
				: weight_variance_bytes(count[m], sample->size, profile->sample_bytes);
	}
	site->alloc_samples += sample->alloc_count;
	site->inuse_samples += inuse_count;
	if (!site->example || value[by] > *heaviest) {
		site->example = sample;
		site->leaf = sample->depth ? &profile->locations[sample->location[0]] : NULL;
		*heaviest = value[by];
	}
}

static int compare_value(const void *a, const void *b, void *arg)
{
	const struct profile_site *left = a, *right = b;
	enum measure by = *(const enum measure *)arg;
	int order = compare_u64(right->value[by], left->value[by]);

	if (!order)
		order = compare_u64(right->value[ALLOC_SPACE], left->value[ALLOC_SPACE]);
	return order ? order : compare_u64((u64)(uintptr_t)left->leaf, (u64)(uintptr_t)right->leaf);
}

/* Drops sites without a sample, turns variances into standard errors, sorts; the number of sites left. */
static u32 finish_sites(struct profile_site *sites, u32 count, enum measure by)
{
	u32 kept = 0;

	for (u32 i = 0; i < count; i++) {
		if (!sites[i].example)
			continue;
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			sites[i].stderr_value[m] = sqrt(sites[i].stderr_value[m]);
		sites[kept++] = sites[i];
	}
	qsort_r(sites, kept, sizeof(*sites), compare_value, &by);
	return kept;
}

/* A record of lifetimes takes kilobytes, and most locations are no leaf: sums are made for sites that have a sample. */
static int add_lifespan(const struct profile *profile, const struct profile_sample *sample, struct lifespan_sum **sum)
{
	if (!profile->model.known)
		return 0;
	if (!*sum)
		*sum = calloc(1, sizeof(**sum));
	if (!*sum)
		return -ENOMEM;
	lifespan_add(*sum, profile, sample);
	return 0;
}

static void conclude_lifespans(const struct profile *profile, struct lifespan_sum **sums, struct profile_site *sites,
			       u32 count)
{
	for (u32 i = 0; i < count; i++) {
		if (sums[i])
			lifespan_conclude(sums[i], profile, &sites[i].lifespan);
		free(sums[i]);
	}
}

int profile_sites(const struct profile *profile, enum measure by, struct profile_site **ret_sites, u32 *ret_count)
{
	u32 *site_of = calloc(profile->location_count + 1UL, sizeof(*site_of));
	struct profile_site *sites = NULL;
	struct lifespan_sum **sums = NULL;
	u64 *heaviest = NULL;
	u32 count = 0;
	int err;

	err = site_of ? number_sites(profile, site_of, &count) : -ENOMEM;
	if (err)
		goto out;
	sites = calloc(count + 1UL, sizeof(*sites)); /* the last one: stack unknown */
	heaviest = calloc(count + 1UL, sizeof(*heaviest));
	sums = calloc(count + 1UL, sizeof(struct lifespan_sum *));
	if (!sites || !heaviest || !sums)
		err = -ENOMEM;
	for (u32 i = 0; !err && i < profile->sample_count; i++) {
		const struct profile_sample *sample = &profile->samples[i];
		u32 site = sample->depth ? site_of[sample->location[0]] : count;

		add_sample(profile, sample, by, &sites[site], &heaviest[site]);
		err = add_lifespan(profile, sample, &sums[site]);
	}
	if (sites && sums)
		conclude_lifespans(profile, sums, sites, count + 1);
	if (err) {
		free(sites);
		goto out;
	}
	*ret_count = finish_sites(sites, count + 1, by);
	*ret_sites = sites;
out:
	free(sums);
	free(heaviest);
	free(site_of);
	return err;
}
