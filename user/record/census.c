/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an image to its files, its line in the index and its part in what is merged. Called by the thread that writes
 * while recording goes on, and at the end by publish.
 */
#include "record/census.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/executable.h"
#include "base/string_list.h"
#include "format/site_label.h"
#include "record/gather.h"
#include "format/table_lifetimes.h"
#include "heap/snapshot.h"
#include "binary/symbolizer.h"

struct census {
	struct census_options options;
	struct gather *gather;
	struct executable_table executables;
	struct index_table processes, merged;
	struct string_list_table files; /* of images that go on, and of what is merged, by name */
	u32 without_samples;		/* processes that have a line, and no file */
	struct census_numbers numbers;
	int err; /* the first in telling of what is merged */
};

struct census *census_new(const struct census_options *options)
{
	struct census *census = calloc(1, sizeof(*census));

	if (!census)
		return NULL;
	census->options = *options;
	census->gather = gather_new();
	if (census->gather)
		return census;
	free(census);
	return NULL;
}

void census_free(struct census *census)
{
	if (!census)
		return;
	index_table_release(&census->processes);
	index_table_release(&census->merged);
	executable_table_release(&census->executables);
	string_list_table_release(&census->files);
	gather_free(census->gather);
	free(census);
}

#define KEY_SIZE 24

static const char *process_key(u32 process, char key[KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "%u", process);
	return key;
}

int census_keep_files(struct census *census, u32 process, char **files)
{
	char key[KEY_SIZE];

	return string_list_keep(&census->files, process_key(process, key), files);
}

/* --- one image --- */

static int take_profile(struct census *census, struct image *image, u64 now_ns, struct profile **ret_profile)
{
	const struct census_options *options = &census->options;
	struct profile *profile;
	int err;

	gc_model_request(&image->heap.collector);
	err = snapshot_take(options->recorder, image, now_ns,
			    options->start_unix_ns + (image->start_ns - options->start_ns), &profile);
	if (err)
		return err;
	err = profile_symbolize(profile, options->symbolizer);
	profile->root = NULL;
	if (err)
		profile_free(profile);
	else
		*ret_profile = profile;
	return err;
}

static void count_in(struct census *census, const struct profile *profile)
{
	struct census_numbers *numbers = &census->numbers;
	u32 growing = table_lifetimes_growing(profile);

	numbers->processes++;
	numbers->growing_sites += growing;
	numbers->growing_processes += growing > 0;
	if (!profile->perf_map_refused)
		return;
	if (!numbers->perfmaps_refused++)
		numbers->perf_map_refused = profile->perf_map_refused;
}

static struct profile_labels origin_of(const struct profile *profile, char buffer[SITE_LABEL_ID_COLUMNS + 1])
{
	return (struct profile_labels){
		.pid = profile->pid,
		.comm = profile->comm,
		.container = (char *)site_label_container(profile, buffer),
		.container_id = profile->container,
	};
}

/* Whoever lives at the end is kept however many there are. */
static bool is_kept(struct census *census, const struct profile *profile)
{
	u32 kept = profile->sample_count ? census->numbers.own_files : census->without_samples;
	u32 merged = gather_all(census->gather)->sample_count, max = census->options.samples_max;

	if (!profile->exited)
		return true;
	if (kept >= census->options.keep)
		return false;
	if (!max || !profile->sample_count || merged < max)
		return true;
	census->numbers.crowded = true;
	return false;
}

static int add_alone(struct census *census, struct profile *profile, char **before)
{
	char buffer[SITE_LABEL_ID_COLUMNS + 1], **files = NULL;
	struct profile_labels origin = origin_of(profile, buffer);
	int err = gather_add(census->gather, profile, &origin), write_err = 0;

	if (profile->sample_count) {
		write_err = output_file_write(census->options.dir, profile, census->options.formats, 0, &files);
		census->numbers.own_files++;
	} else {
		census->without_samples++;
	}
	write_err = write_err ? write_err : err;
	err = string_list_append(&files, before);
	write_err = write_err ? write_err : err;
	err = index_table_add(&census->processes, profile, files);
	return err ? err : write_err;
}

static int add_merged(struct census *census, struct profile *profile, char **before)
{
	struct executable *executable = executable_get(&census->executables, profile);
	char buffer[SITE_LABEL_ID_COLUMNS + 1];
	struct profile_labels origin = origin_of(profile, buffer);
	int err = -ENOMEM, files_err = 0;

	if (executable) {
		origin.pid = 0;
		origin.comm = (char *)executable_comm(executable, profile->comm);
		origin.group = executable->group;
		err = gather_add(census->gather, profile, &origin);
		merge_facts(&executable->facts, profile);
		census->numbers.merged++;
		if (before)
			files_err = string_list_keep(&census->files, executable->facts.stem, before);
	} else {
		string_list_free(before);
	}
	profile_free(profile);
	return err ? err : files_err;
}

int census_add(struct census *census, struct image *image, u64 now_ns)
{
	struct profile *profile;
	char key[KEY_SIZE], **before = string_list_take(&census->files, process_key(image->number, key));
	int err = take_profile(census, image, now_ns, &profile);

	if (err) {
		string_list_free(before);
		return err;
	}
	count_in(census, profile);
	return is_kept(census, profile) ? add_alone(census, profile, before) : add_merged(census, profile, before);
}

/* --- while recording goes on --- */

struct census_interim {
	struct census *census;
	struct gather *gather;
	int err;
};

struct census_interim *census_interim_new(struct census *census)
{
	struct census_interim *interim = calloc(1, sizeof(*interim));

	if (!interim)
		return NULL;
	interim->census = census;
	interim->gather = gather_new();
	if (interim->gather)
		return interim;
	free(interim);
	return NULL;
}

int census_interim_add(struct census_interim *interim, const struct profile *profile)
{
	char buffer[SITE_LABEL_ID_COLUMNS + 1];
	struct profile_labels origin = origin_of(profile, buffer);

	return gather_add(interim->gather, profile, &origin);
}

static void keep_merged_files(void *arg, const struct profile *merged, char **files)
{
	struct census *census = arg;
	int err = files ? string_list_keep(&census->files, merged->stem, files) : 0;

	census->err = census->err ? census->err : err;
}

int census_interim_write(struct census_interim *interim, unsigned int seq)
{
	struct census *census = interim->census;
	int err = gather_copy(interim->gather, census->gather);

	return err ? err
		   : gather_write(interim->gather, census->options.dir, census->options.formats, seq, keep_merged_files,
				  census);
}

void census_interim_free(struct census_interim *interim)
{
	if (!interim)
		return;
	gather_free(interim->gather);
	free(interim);
}

/* --- at its end --- */

static char *copy(const char *text, int *err)
{
	char *copied = text ? strdup(text) : NULL;

	if (text && !copied)
		*err = -ENOMEM;
	return copied;
}

/* The line of what is merged, behind which come the files written of it before. */
static int add_line(struct census *census, struct index_table *table, const struct profile *merged, char **files)
{
	struct index_entry sums = index_entry_of(merged, NULL);
	struct profile *facts = calloc(1, sizeof(*facts));
	int err = string_list_append(&files, string_list_take(&census->files, merged->stem));

	if (!facts) {
		string_list_free(files);
		return -ENOMEM;
	}
	*facts = *merged;
	facts->mappings = NULL;
	facts->locations = NULL;
	facts->samples = NULL;
	facts->origins = NULL;
	facts->mapping_count = facts->location_count = facts->sample_count = facts->origin_count = 0;
	facts->stem = copy(merged->stem, &err);
	facts->comm = copy(merged->comm, &err);
	facts->exe = copy(merged->exe, &err);
	facts->container = copy(merged->container, &err);
	facts->container_name = copy(merged->container_name, &err);
	if (index_table_add(table, facts, files))
		return -ENOMEM;
	sums.facts = table->entries[table->count - 1].facts;
	sums.files = table->entries[table->count - 1].files;
	table->entries[table->count - 1] = sums;
	return err;
}

static void add_merged_line(void *arg, const struct profile *merged, char **files)
{
	struct census *census = arg;
	int err = add_line(census, &census->merged, merged, files);

	census->err = census->err ? census->err : err;
}

static bool is_of_group(const struct profile_labels *origin, const void *group)
{
	return origin->group == *(const u32 *)group;
}

static int finish_executable(struct census *census, const struct executable *executable)
{
	struct merge *merge = merge_new();
	char **files = NULL;
	int err = merge ? merge_select(merge, gather_all(census->gather), is_of_group, &executable->group) : -ENOMEM;

	if (!err) {
		merge_describe(merge, &executable->facts);
		if (merge_profile(merge)->sample_count)
			err = output_file_write(census->options.dir, merge_profile(merge), census->options.formats, 0,
						&files);
		census->numbers.executables++;
		if (add_line(census, &census->processes, merge_profile(merge), files))
			err = -ENOMEM;
	}
	merge_free(merge);
	return err;
}

int census_finish(struct census *census)
{
	int first_err = 0, err;

	for (const struct executable *executable = census->executables.executables; executable;
	     executable = executable->hh.next) {
		err = finish_executable(census, executable);
		first_err = first_err ? first_err : err;
	}
	err = gather_write(census->gather, census->options.dir, census->options.formats, 0, add_merged_line, census);
	first_err = first_err ? first_err : err;
	return first_err ? first_err : census->err;
}

const struct index_table *census_processes(const struct census *census)
{
	return &census->processes;
}

const struct index_table *census_merged(const struct census *census)
{
	return &census->merged;
}

const struct profile *census_all(const struct census *census)
{
	return gather_all(census->gather);
}

const struct census_numbers *census_numbers(const struct census *census)
{
	return &census->numbers;
}
