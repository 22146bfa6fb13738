/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/finish.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "base/string_list.h"
#include "binary/symbolizer.h"
#include "format/index_write.h"
#include "format/table_processes.h"
#include "format/table_profile.h"

#define SUMMARY_PROCESSES 20

struct finish {
	const struct publication *publication;
	int err;	    /* the first thing that could not be written */
	const char *failed; /* what that was */
};

static void note(struct finish *finish, const char *what, int err)
{
	if (!err || finish->err)
		return;
	finish->err = err;
	finish->failed = what;
}

static int add_image(struct image *image, void *arg)
{
	struct finish *finish = arg;
	const struct publication *publication = finish->publication;

	note(finish, "profile",
	     aggregate_add(publication->aggregate, image, publication->start_ns + publication->duration_ns));
	return 0;
}

static int write_index(const struct publication *publication)
{
	const struct aggregate_result *result = aggregate_result(publication->aggregate);
	struct recording recording = {
		.version = HEAPTAP_VERSION,
		.sample_bytes = publication->options->sample_bytes,
		.attach = publication->attach,
		.start_unix_ns = publication->start_unix_ns,
		.duration_ns = publication->duration_ns,
		.options = (const char *const *)publication->options->argv,
		.merged = result->merged.entries,
		.merged_count = result->merged.count,
	};

	return index_write_file(publication->output->fd, &recording, result->processes.entries,
				result->processes.count);
}

static u64 count_files(const struct index_table *table)
{
	u64 count = 0;

	for (u32 i = 0; i < table->count; i++)
		count += string_list_count(table->entries[i].files);
	return count;
}

static void print_summary(const struct aggregate_result *result)
{
	const struct index_table *processes = &result->processes;

	table_processes_print(processes->entries, processes->count, SUMMARY_PROCESSES, stderr);
	fputc('\n', stderr);
	table_profile_print(result->all, PUBLISH_SUMMARY_SITES, stderr);
	table_processes_print_losses(processes->entries, processes->count, SUMMARY_PROCESSES, stderr);
}

static void say_merged(const struct publication *publication, const struct aggregate_result *result)
{
	const char *executables = result->executables == 1 ? "executable" : "executables";

	if (result->perfmaps_refused)
		log_note("the names that JIT compilers left in /tmp/perf-PID.map are not used for %" PRIu32
			 " process%s, the first because: %s",
			 result->perfmaps_refused, result->perfmaps_refused == 1 ? "" : "es", result->perf_map_refused);
	if (result->crowded)
		log_note("%" PRIu64 " processes ended after %" PRIu32
			 " others had left %u samples, more than heaptap keeps apart, and are merged, in merged.*, by "
			 "their %" PRIu32 " %s; a larger -R has fewer",
			 result->by_executable, result->own_files, publication->samples_max, result->executables,
			 executables);
	else if (result->by_executable)
		log_note("%" PRIu64 " processes ended after the first %" PRIu32
			 " and are merged, in merged.*, by their %" PRIu32 " %s; --keep keeps more of them apart",
			 result->by_executable, publication->options->keep, result->executables, executables);
}

/* What has become of the files. */
static int say_written(const struct finish *finish)
{
	const struct publication *publication = finish->publication;
	const char *path = publication->output->path;
	u64 files;

	if (publication->symbolizer && symbolizer_complaint(publication->symbolizer))
		log_note("some names may be missing: %s", symbolizer_complaint(publication->symbolizer));
	if (finish->err)
		publish_say_failure(publication, finish->failed, finish->err);
	if (finish->err || publication->failed)
		return STATUS_FAILED;
	files = count_files(&aggregate_result(publication->aggregate)->processes) +
		count_files(&aggregate_result(publication->aggregate)->merged);
	log_note("%" PRIu64 " profile file%s and index.json written to '%s'; 'heaptap report %s' shows them", files,
		 files == 1 ? "" : "s", path, path);
	return STATUS_DONE;
}

static int say_growing(const struct aggregate_result *result)
{
	u32 sites = result->growing_sites, processes = result->growing_processes;

	if (!sites)
		return STATUS_DONE;
	log_error("--fail-on growing: %u site%s in %u process%s grow%s", sites, sites == 1 ? "" : "s", processes,
		  processes == 1 ? "" : "es", sites == 1 ? "s" : "");
	return STATUS_FOUND;
}

int finish_recording(struct publication *publication)
{
	struct finish finish = {.publication = publication};
	const struct aggregate_result *result;
	int status;

	if (!publish_stop(publication)) {
		note(&finish, "profiles", -ENOMEM);
		return say_written(&finish);
	}
	recorder_for_each(publication->recorder, add_image, &finish);
	note(&finish, "merged profiles", aggregate_finish(publication->aggregate));
	note(&finish, "index.json", write_index(publication));
	result = aggregate_result(publication->aggregate);
	if (publish_merges(publication)) {
		if (!publication->options->quiet)
			print_summary(result);
		say_merged(publication, result);
	}
	status = say_written(&finish);
	return status == STATUS_DONE && publication->options->fail_on_growing ? say_growing(result) : status;
}
