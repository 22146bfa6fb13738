/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an image to its files, its line in the index and its part in what is merged. Called by the thread that writes
 * while recording goes on, and at the end by publish.
 */
#include "record/aggregate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/by_executable.h"
#include "base/string_list.h"
#include "format/output_file.h"
#include "format/site_label.h"
#include "record/by_container.h"
#include "format/table_lifetimes.h"
#include "heap/snapshot.h"
#include "binary/symbolizer.h"
#include "profile/symbolize.h"

struct aggregate {
	struct aggregate_options options;
	struct by_container *gather;
	struct executable_table executables;
	struct index_table processes, merged;
	struct string_list_table files; /* of images that go on, and of what is merged, by name */
	u32 without_samples;		/* processes that have a line, and no file */
	struct aggregate_numbers numbers;
	int err; /* the first in telling of what is merged */
};

struct aggregate *aggregate_new(const struct aggregate_options *options)
{
	struct aggregate *aggregate = calloc(1, sizeof(*aggregate));

	if (!aggregate)
		return NULL;
	aggregate->options = *options;
	aggregate->gather = by_container_new();
	if (aggregate->gather)
		return aggregate;
	free(aggregate);
	return NULL;
}

void aggregate_free(struct aggregate *aggregate)
{
	if (!aggregate)
		return;
	index_table_release(&aggregate->processes);
	index_table_release(&aggregate->merged);
	by_executable_table_release(&aggregate->executables);
	string_list_table_release(&aggregate->files);
	by_container_free(aggregate->gather);
	free(aggregate);
}

#define KEY_SIZE 24

static const char *process_key(u32 process, char key[KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "%u", process);
	return key;
}

int aggregate_keep_files(struct aggregate *aggregate, u32 process, char **files)
{
	char key[KEY_SIZE];

	return string_list_keep(&aggregate->files, process_key(process, key), files);
}

/* --- one image --- */

static int take_profile(struct aggregate *aggregate, struct image *image, u64 now_ns, struct profile **ret_profile)
{
	const struct aggregate_options *options = &aggregate->options;
	struct profile *profile;
	int err;

	gc_model_request(&image->heap.gc);
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

static void count_in(struct aggregate *aggregate, const struct profile *profile)
{
	struct aggregate_numbers *numbers = &aggregate->numbers;
	u32 growing = table_lifetimes_growing(profile);

	numbers->processes++;
	numbers->growing_sites += growing;
	numbers->growing_processes += growing > 0;
	if (!profile->perf_map_refused)
		return;
	if (!numbers->perfmaps_refused++)
		numbers->perf_map_refused = profile->perf_map_refused;
}

static struct profile_labels labels_of(const struct profile *profile, char buffer[SITE_LABEL_ID_COLUMNS + 1])
{
	return (struct profile_labels){
		.pid = profile->pid,
		.comm = profile->comm,
		.container = (char *)site_label_container(profile, buffer),
		.container_id = profile->container,
	};
}

/* Whoever lives at the end is kept however many there are. */
static bool is_kept(struct aggregate *aggregate, const struct profile *profile)
{
	u32 kept = profile->sample_count ? aggregate->numbers.own_files : aggregate->without_samples;
	u32 merged = by_container_all(aggregate->gather)->sample_count, max = aggregate->options.samples_max;

	if (!profile->exited)
		return true;
	if (kept >= aggregate->options.keep)
		return false;
	if (!max || !profile->sample_count || merged < max)
		return true;
	aggregate->numbers.crowded = true;
	return false;
}

static int add_alone(struct aggregate *aggregate, struct profile *profile, char **before)
{
	char buffer[SITE_LABEL_ID_COLUMNS + 1], **files = NULL;
	struct profile_labels labels = labels_of(profile, buffer);
	int err = by_container_add(aggregate->gather, profile, &labels), write_err = 0;

	if (profile->sample_count) {
		write_err = output_file_write(aggregate->options.dir, profile, aggregate->options.formats, 0, &files);
		aggregate->numbers.own_files++;
	} else {
		aggregate->without_samples++;
	}
	write_err = write_err ? write_err : err;
	err = string_list_append(&files, before);
	write_err = write_err ? write_err : err;
	err = index_table_add(&aggregate->processes, profile, files);
	return err ? err : write_err;
}

static int add_merged(struct aggregate *aggregate, struct profile *profile, char **before)
{
	struct executable *executable = by_executable_get(&aggregate->executables, profile);
	char buffer[SITE_LABEL_ID_COLUMNS + 1];
	struct profile_labels labels = labels_of(profile, buffer);
	int err = -ENOMEM, files_err = 0;

	if (executable) {
		labels.pid = 0;
		labels.comm = (char *)by_executable_comm(executable, profile->comm);
		labels.group = executable->group;
		err = by_container_add(aggregate->gather, profile, &labels);
		merge_facts(&executable->facts, profile);
		aggregate->numbers.merged++;
		if (before)
			files_err = string_list_keep(&aggregate->files, executable->facts.stem, before);
	} else {
		string_list_free(before);
	}
	profile_free(profile);
	return err ? err : files_err;
}

int aggregate_add(struct aggregate *aggregate, struct image *image, u64 now_ns)
{
	struct profile *profile;
	char key[KEY_SIZE], **before = string_list_take(&aggregate->files, process_key(image->number, key));
	int err = take_profile(aggregate, image, now_ns, &profile);

	if (err) {
		string_list_free(before);
		return err;
	}
	count_in(aggregate, profile);
	return is_kept(aggregate, profile) ? add_alone(aggregate, profile, before)
					   : add_merged(aggregate, profile, before);
}

/* --- while recording goes on --- */

struct aggregate_interim {
	struct aggregate *aggregate;
	struct by_container *gather;
	int err;
};

struct aggregate_interim *aggregate_interim_new(struct aggregate *aggregate)
{
	struct aggregate_interim *interim = calloc(1, sizeof(*interim));

	if (!interim)
		return NULL;
	interim->aggregate = aggregate;
	interim->gather = by_container_new();
	if (interim->gather)
		return interim;
	free(interim);
	return NULL;
}

int aggregate_interim_add(struct aggregate_interim *interim, const struct profile *profile)
{
	char buffer[SITE_LABEL_ID_COLUMNS + 1];
	struct profile_labels labels = labels_of(profile, buffer);

	return by_container_add(interim->gather, profile, &labels);
}

static void keep_merged_files(void *arg, const struct profile *merged, char **files)
{
	struct aggregate *aggregate = arg;
	int err = files ? string_list_keep(&aggregate->files, merged->stem, files) : 0;

	aggregate->err = aggregate->err ? aggregate->err : err;
}

int aggregate_interim_write(struct aggregate_interim *interim, unsigned int seq)
{
	struct aggregate *aggregate = interim->aggregate;
	int err = by_container_copy(interim->gather, aggregate->gather);

	return err ? err
		   : by_container_write(interim->gather, aggregate->options.dir, aggregate->options.formats, seq,
					keep_merged_files, aggregate);
}

void aggregate_interim_free(struct aggregate_interim *interim)
{
	if (!interim)
		return;
	by_container_free(interim->gather);
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
static int add_line(struct aggregate *aggregate, struct index_table *table, const struct profile *merged, char **files)
{
	struct index_entry sums = index_entry_of(merged, NULL);
	struct profile *facts = calloc(1, sizeof(*facts));
	int err = string_list_append(&files, string_list_take(&aggregate->files, merged->stem));

	if (!facts) {
		string_list_free(files);
		return -ENOMEM;
	}
	*facts = *merged;
	facts->mappings = NULL;
	facts->locations = NULL;
	facts->samples = NULL;
	facts->labels = NULL;
	facts->mapping_count = facts->location_count = facts->sample_count = facts->label_count = 0;
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
	struct aggregate *aggregate = arg;
	int err = add_line(aggregate, &aggregate->merged, merged, files);

	aggregate->err = aggregate->err ? aggregate->err : err;
}

static bool is_of_group(const struct profile_labels *labels, const void *group)
{
	return labels->group == *(const u32 *)group;
}

static int finish_executable(struct aggregate *aggregate, const struct executable *executable)
{
	struct merge *merge = merge_new();
	char **files = NULL;
	int err = merge ? merge_select(merge, by_container_all(aggregate->gather), is_of_group, &executable->group)
			: -ENOMEM;

	if (!err) {
		merge_describe(merge, &executable->facts);
		if (merge_profile(merge)->sample_count)
			err = output_file_write(aggregate->options.dir, merge_profile(merge),
						aggregate->options.formats, 0, &files);
		aggregate->numbers.executables++;
		if (add_line(aggregate, &aggregate->processes, merge_profile(merge), files))
			err = -ENOMEM;
	}
	merge_free(merge);
	return err;
}

int aggregate_finish(struct aggregate *aggregate)
{
	int first_err = 0, err;

	for (const struct executable *executable = aggregate->executables.executables; executable;
	     executable = executable->hh.next) {
		err = finish_executable(aggregate, executable);
		first_err = first_err ? first_err : err;
	}
	err = by_container_write(aggregate->gather, aggregate->options.dir, aggregate->options.formats, 0,
				 add_merged_line, aggregate);
	first_err = first_err ? first_err : err;
	return first_err ? first_err : aggregate->err;
}

const struct index_table *aggregate_processes(const struct aggregate *aggregate)
{
	return &aggregate->processes;
}

const struct index_table *aggregate_merged(const struct aggregate *aggregate)
{
	return &aggregate->merged;
}

const struct profile *aggregate_all(const struct aggregate *aggregate)
{
	return by_container_all(aggregate->gather);
}

const struct aggregate_numbers *aggregate_numbers(const struct aggregate *aggregate)
{
	return &aggregate->numbers;
}
