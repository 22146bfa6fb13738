/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/aggregate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/string_list.h"
#include "binary/symbolizer.h"
#include "format/output_file.h"
#include "format/site_label.h"
#include "format/table_lifetimes.h"
#include "heap/go_profile.h"
#include "heap/snapshot.h"
#include "profile/naming.h"
#include "profile/sample_residency.h"
#include "record/merged_rows.h"

struct aggregate {
	struct aggregate_options options;
	struct wrappers *wrappers;
	struct by_container *containers, *interim; /* of all images added; of those written under the present number */
	struct merged_rows executables;
	struct string_list_table files; /* of snapshots, by image and by stem, for lines that come later */
	u32 without_samples;		/* processes that have a line, and no file */
	struct aggregate_result result;
	int err;	   /* the first in noting what was written */
	int residency_err; /* the first in looking it up */
};

struct aggregate *aggregate_new(const struct aggregate_options *options)
{
	struct aggregate *aggregate = calloc(1, sizeof(*aggregate));

	if (!aggregate)
		return NULL;
	aggregate->options = *options;
	aggregate->containers = by_container_new();
	aggregate->wrappers = wrappers_new(options->symbolizer);
	if (!aggregate->containers || !aggregate->wrappers) {
		aggregate_free(aggregate);
		return NULL;
	}
	aggregate->result.all = by_container_all(aggregate->containers);
	return aggregate;
}

void aggregate_free(struct aggregate *aggregate)
{
	if (!aggregate)
		return;
	for (u32 i = 0; i < AGGREGATE_GROWING; i++)
		free(aggregate->result.growing[i]);
	index_table_release(&aggregate->result.processes);
	index_table_release(&aggregate->result.merged);
	merged_rows_release(&aggregate->executables);
	string_list_table_release(&aggregate->files);
	by_container_free(aggregate->containers);
	by_container_free(aggregate->interim);
	wrappers_free(aggregate->wrappers);
	free(aggregate);
}

/* The first error is kept. */
static void note(int *err, int next)
{
	*err = *err ? *err : next;
}

/* Each snapshot has a folder of the shape of a recording's directory. */
static const char *snapshot_folder(unsigned int seq, const char *below, char folder[OUTPUT_FILE_FOLDER_MAX])
{
	snprintf(folder, OUTPUT_FILE_FOLDER_MAX, "snapshots/%04u/%s", seq, below);
	return folder;
}

#define KEY_SIZE 24

static const char *process_key(u32 process, bool go, char key[KEY_SIZE])
{
	snprintf(key, KEY_SIZE, "%u%s", process, go ? ".go" : "");
	return key;
}

/* --- one image --- */

/* Nothing is known of a process that is gone, or may not be looked into: the first is said. */
static void look_up_residency(struct aggregate *aggregate, struct profile *profile)
{
	int err;

	if (!aggregate->options.recorder->residency)
		return;
	err = profile->exited ? -ENOENT : sample_residency_look_up(profile);
	if (err && !aggregate->residency_err)
		log_note("--resident: what %sobjects of pid %u cost in memory is not known: %s",
			 err == -E2BIG ? "some " : "the ", profile->pid, sample_residency_explain(err));
	aggregate->residency_err = aggregate->residency_err ? aggregate->residency_err : err;
}

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
	look_up_residency(aggregate, profile);
	/* Names and files are made of the profile alone, and a heap may be most of heaptap's memory. */
	image_drop_heap(image);
	err = naming_apply(profile, options->symbolizer, aggregate->wrappers, options->site_skip);
	if (err) {
		profile_free(profile);
		return err;
	}
	advice_note(&aggregate->result.advice, image, profile);
	options->each(profile, image->number, true, options->arg);
	profile->root = NULL;
	*ret_profile = profile;
	return 0;
}

static void add_growing(const char *line, void *arg)
{
	struct aggregate_result *result = arg;

	if (result->growing_sites < AGGREGATE_GROWING)
		result->growing[result->growing_sites] = strdup(line); /* without memory it has no line */
	result->growing_sites++;
}

static void count_in(struct aggregate *aggregate, const struct profile *profile)
{
	struct aggregate_result *result = &aggregate->result;

	result->growing_processes += table_lifetimes_growing(profile, add_growing, result) > 0;
	if (profile->perf_map_refused && !result->perfmaps_refused++) {
		result->perf_map_refused = profile->perf_map_refused;
		result->perf_map_pid = profile->pid;
	}
}

/* Images that live at the end are kept however many there are. */
static bool is_kept(struct aggregate *aggregate, const struct profile *profile)
{
	bool has_file = profile->sample_count || profile->regions;
	u32 max = aggregate->options.samples_max;

	if (!profile->exited || !aggregate->options.merges)
		return true;
	if ((has_file ? aggregate->result.own_files : aggregate->without_samples) >= aggregate->options.keep)
		return false;
	if (!max || !has_file || by_container_samples(aggregate->containers) < max)
		return true;
	aggregate->result.crowded = true;
	return false;
}

static int merge_in(struct aggregate *aggregate, struct by_container *containers, const struct profile *profile,
		    struct merged_row *executable)
{
	char buffer[SITE_LABEL_ID_COLUMNS + 1];
	struct profile_labels labels = {
		.pid = executable ? 0 : profile->pid,
		.comm = executable ? (char *)merged_rows_comm(executable, profile->comm) : profile->comm,
		.container = (char *)site_label_container(profile, buffer),
		.container_id = profile->container,
		.group = executable ? executable->number : 0,
	};

	/* Go's own profiles are not merged: their intervals are Go's. */
	if (!aggregate->options.merges || profile->go.version[0])
		return 0;
	return containers ? by_container_add(containers, profile, &labels) : -ENOMEM;
}

static int add_alone(struct aggregate *aggregate, struct profile *profile, char **before)
{
	char **files = NULL;
	int err = merge_in(aggregate, aggregate->containers, profile, NULL);

	if (profile->sample_count || profile->regions) {
		note(&err, output_file_write(aggregate->options.dir, profile, aggregate->options.formats, "", &files));
		aggregate->result.own_files++;
	} else {
		aggregate->without_samples++;
	}
	note(&err, string_list_append(&files, before));
	note(&err, index_table_add(&aggregate->result.processes, profile, files));
	return err;
}

static int add_merged(struct aggregate *aggregate, struct profile *profile, char **before)
{
	struct merged_row *executable = merged_rows_executable(&aggregate->executables, profile);
	int err = -ENOMEM;

	if (executable) {
		err = merge_in(aggregate, aggregate->containers, profile, executable);
		note(&err, merged_rows_add_facts(executable, profile));
		aggregate->result.by_executable++;
		note(&err, string_list_keep(&aggregate->files, executable->facts->stem, before));
	} else {
		string_list_free(before);
	}
	profile_free(profile);
	return err;
}

/* What a Go program says of itself. */
static int take_go(struct aggregate *aggregate, const struct image *image, u64 now_ns, struct profile **ret_profile)
{
	const struct aggregate_options *options = &aggregate->options;
	u64 start_unix_ns = options->start_unix_ns + (image->start_ns - options->start_ns);
	int err = go_profile_make(options->recorder, image, now_ns, start_unix_ns, SNAPSHOT_LIFETIMES, ret_profile);

	if (err)
		return err;
	err = naming_apply(*ret_profile, options->symbolizer, aggregate->wrappers, options->site_skip);
	if (err) {
		profile_free(*ret_profile);
		return err;
	}
	(*ret_profile)->go.elf = NULL;
	options->each(*ret_profile, image->number, true, options->arg);
	return 0;
}

static int add_go(struct aggregate *aggregate, const struct image *image, u64 now_ns)
{
	struct aggregate_result *result = &aggregate->result;
	struct profile *profile;
	char key[KEY_SIZE], **files = NULL;
	char **before = string_list_take(&aggregate->files, process_key(image->number, true, key));
	bool drops = image->ended && aggregate->options.merges && result->go_files >= aggregate->options.keep;
	int err = drops ? 0 : take_go(aggregate, image, now_ns, &profile);

	result->go_dropped += drops;
	if (drops || err) {
		aggregate->options.each(NULL, image->number, true, aggregate->options.arg);
		string_list_free(before);
		return err;
	}
	result->go_files++;
	result->go_torn += image->go->torn > 0;
	note(&err, output_file_write(aggregate->options.dir, profile, aggregate->options.formats, "", &files));
	note(&err, string_list_append(&files, before));
	note(&err, index_table_add(&result->processes, profile, files));
	return err;
}

static int add_image(struct aggregate *aggregate, struct image *image, u64 now_ns)
{
	struct profile *profile;
	char key[KEY_SIZE], **before = string_list_take(&aggregate->files, process_key(image->number, false, key));
	int err = take_profile(aggregate, image, now_ns, &profile);

	if (err) {
		aggregate->options.each(NULL, image->number, true, aggregate->options.arg);
		string_list_free(before);
		return err;
	}
	count_in(aggregate, profile);
	return is_kept(aggregate, profile) ? add_alone(aggregate, profile, before)
					   : add_merged(aggregate, profile, before);
}

/* A Go program without an allocator of C's has nothing to say but what Go says. */
int aggregate_add(struct aggregate *aggregate, struct image *image, u64 now_ns)
{
	bool all = go_profile_is_all(image);
	int err = all ? 0 : add_image(aggregate, image, now_ns);

	if (go_reading_has_profile(image->go)) {
		image->go->alone = all; /* its heap and regions may be gone by now */
		note(&err, add_go(aggregate, image, now_ns));
	}
	return err;
}

/* --- while recording goes on --- */

static struct by_container *open_interim(struct aggregate *aggregate)
{
	if (aggregate->options.merges && !aggregate->interim)
		aggregate->interim = by_container_new();
	return aggregate->interim;
}

int aggregate_interim(struct aggregate *aggregate, u32 process, struct profile *profile, unsigned int seq)
{
	const struct aggregate_options *options = &aggregate->options;
	char key[KEY_SIZE], folder[OUTPUT_FILE_FOLDER_MAX], **files = NULL;
	int err;

	look_up_residency(aggregate, profile);
	err = naming_apply(profile, options->symbolizer, aggregate->wrappers, options->site_skip);
	options->each(err ? NULL : profile, process, false, options->arg);
	if (err)
		return err;
	err = output_file_write(options->dir, profile, options->formats, snapshot_folder(seq, "", folder), &files);
	note(&err, string_list_keep(&aggregate->files, process_key(process, profile->go.version[0], key), files));
	note(&err, merge_in(aggregate, open_interim(aggregate), profile, NULL));
	return err;
}

static void keep_merged_files(void *arg, const struct profile *merged, char **files)
{
	struct aggregate *aggregate = arg;

	note(&aggregate->err, string_list_keep(&aggregate->files, merged->stem, files));
}

int aggregate_interim_finish(struct aggregate *aggregate, unsigned int seq)
{
	const struct aggregate_options *options = &aggregate->options;
	char folder[OUTPUT_FILE_FOLDER_MAX];
	const struct merged_output output = {options->dir, options->formats,
					     snapshot_folder(seq, OUTPUT_FILE_MERGED, folder), keep_merged_files,
					     aggregate};
	int err = 0;

	if (seq && options->merges) {
		err = open_interim(aggregate) ? by_container_copy(aggregate->interim, aggregate->containers) : -ENOMEM;
		if (!err)
			err = by_container_write(aggregate->interim, &output);
	}
	by_container_free(aggregate->interim);
	aggregate->interim = NULL;
	wrappers_drop(aggregate->wrappers);
	symbolizer_trim(options->symbolizer, options->symbols_max);
	if (seq)
		options->complete(options->arg);
	return err;
}

/* --- at its end --- */

struct lines {
	struct aggregate *aggregate;
	struct index_table *table; /* that they are added to */
};

/* The line of what is merged, with the files written of it before behind its last. */
static void add_line(void *arg, const struct profile *merged, char **files)
{
	const struct lines *lines = arg;
	int *err = &lines->aggregate->err;
	struct profile *facts = profile_copy_facts(merged);
	struct index_entry line = index_entry_of(merged, NULL), *last;

	note(err, string_list_append(&files, string_list_take(&lines->aggregate->files, merged->stem)));
	if (!facts)
		string_list_free(files);
	if (!facts || index_table_add(lines->table, facts, files)) {
		note(err, -ENOMEM);
		return;
	}
	last = &lines->table->entries[lines->table->count - 1];
	line.facts = last->facts;
	line.files = last->files;
	*last = line;
}

static bool is_of_executable(const struct profile_labels *labels, const void *row)
{
	return labels->group == ((const struct merged_row *)row)->number;
}

int aggregate_finish(struct aggregate *aggregate)
{
	const struct aggregate_options *options = &aggregate->options;
	struct lines of_executables = {aggregate, &aggregate->result.processes};
	struct lines of_containers = {aggregate, &aggregate->result.merged};
	const struct merged_output executables = {options->dir, options->formats, "", add_line, &of_executables};
	const struct merged_output containers = {options->dir, options->formats, OUTPUT_FILE_MERGED, add_line,
						 &of_containers};
	int err;

	if (!options->merges) {
		index_table_sort(&aggregate->result.processes);
		return 0;
	}
	aggregate->result.executables = HASH_COUNT(aggregate->executables.rows);
	err = merged_rows_write(&aggregate->executables, aggregate->result.all, is_of_executable, &executables);
	note(&err, by_container_write(aggregate->containers, &containers));
	note(&err, aggregate->err);
	return err;
}

const struct aggregate_result *aggregate_result(const struct aggregate *aggregate)
{
	return &aggregate->result;
}
