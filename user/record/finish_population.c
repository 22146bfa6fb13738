/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a recording of a population. Called by publish. */
#include "record/finish.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "record/aggregate.h"
#include "base/string_list.h"
#include "base/log.h"
#include "format/table_processes.h"
#include "format/table_profile.h"

#define SUMMARY_SITES	  10
#define SUMMARY_PROCESSES 20

struct conclusion {
	struct publication *publication;
	int err;
	const char *failed;
};

static void fail(struct conclusion *conclusion, const char *what, int err)
{
	if (!err || conclusion->err)
		return;
	conclusion->err = err;
	conclusion->failed = what;
}

static int add_image(struct image *image, void *arg)
{
	struct conclusion *conclusion = arg;
	const struct publication *publication = conclusion->publication;

	fail(conclusion, "profile",
	     aggregate_add(publication->aggregate, image, publication->start_ns + publication->duration_ns));
	return 0;
}

static int write_index_file(const struct publication *publication)
{
	struct recording recording = finish_recording(publication);
	const struct index_table *processes = aggregate_processes(publication->aggregate);

	recording.merged = aggregate_merged(publication->aggregate)->entries;
	recording.merged_count = aggregate_merged(publication->aggregate)->count;
	return index_write_file(publication->output->fd, &recording, processes->entries, processes->count);
}

static u64 count_files(const struct index_table *table)
{
	u64 count = 0;

	for (u32 i = 0; i < table->count; i++)
		count += string_list_count(table->entries[i].files);
	return count;
}

static void print_summary(const struct aggregate *aggregate)
{
	const struct index_table *processes = aggregate_processes(aggregate);

	table_processes_print(processes->entries, processes->count, SUMMARY_PROCESSES, stderr);
	fputc('\n', stderr);
	table_profile_print(aggregate_all(aggregate), SUMMARY_SITES, stderr);
	table_processes_print_losses(processes->entries, processes->count, SUMMARY_PROCESSES, stderr);
}

static void say_merged(const struct publication *publication)
{
	const struct aggregate_numbers *numbers = aggregate_numbers(publication->aggregate);

	if (numbers->perfmaps_refused)
		log_note("the names that JIT compilers left in /tmp/perf-PID.map are not used for %" PRIu32
			 " process%s, the first because: %s",
			 numbers->perfmaps_refused, numbers->perfmaps_refused == 1 ? "" : "es",
			 numbers->perf_map_refused);
	if (numbers->crowded)
		log_note("%" PRIu64 " processes ended after %" PRIu32 " others had left %u samples, more than heaptap "
			 "keeps apart, and are merged, in merged.*, by their %" PRIu32 " executable%s; a larger -R has "
			 "fewer",
			 numbers->merged, numbers->own_files, publication->samples_max, numbers->executables,
			 numbers->executables == 1 ? "" : "s");
	else if (numbers->merged)
		log_note("%" PRIu64 " processes ended after the first %" PRIu32
			 " and are merged, in merged.*, by their %" PRIu32
			 " executable%s; --keep keeps more of them apart",
			 numbers->merged, publication->options->keep, numbers->executables,
			 numbers->executables == 1 ? "" : "s");
}

int finish_population(struct publication *publication)
{
	struct conclusion conclusion = {.publication = publication};
	const struct aggregate_numbers *numbers;
	int status;

	if (!publish_open_census(publication))
		return finish_say(publication, "profiles", -ENOMEM, 0);
	recorder_for_each(publication->recorder, add_image, &conclusion);
	fail(&conclusion, "merged profiles", aggregate_finish(publication->aggregate));
	fail(&conclusion, "index.json", write_index_file(publication));
	if (!publication->options->quiet)
		print_summary(publication->aggregate);
	say_merged(publication);
	status = finish_say(publication, conclusion.failed, conclusion.err,
			    count_files(aggregate_processes(publication->aggregate)) +
				    count_files(aggregate_merged(publication->aggregate)));
	numbers = aggregate_numbers(publication->aggregate);
	if (status == STATUS_DONE && publication->options->fail_on_growing)
		status = finish_growth(numbers->growing_sites, numbers->growing_processes);
	return status;
}
