/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/publish.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/string_list.h"
#include "base/units.h"
#include "binary/symbolizer.h"
#include "format/index_write.h"
#include "heap/go_profile.h"
#include "record/peek.h"
#include "system/shortage.h"

/* Is a target of several processes traced, which are merged? */
static bool merges(const struct publication *publication)
{
	return publication->options->tracing.target.population != POPULATION_LISTED;
}

static void say_failure(const struct publication *publication, const char *what, int err)
{
	log_error("cannot write the %s into '%s': %s; the files that were there before are intact%s", what,
		  publication->output->path, shortage_explain(err).text,
		  shortage_is(err) ? "" : "; choose another place with -o");
}

/* A profile of the aggregate's: for the summary, where each process has a table, and for the audience. */
static void hear(const struct profile *profile, u32 process, bool last, void *arg)
{
	struct publication *publication = arg;
	const struct audience *audience = publication->options->audience;

	if (profile && last && !merges(publication))
		summary_add(&publication->summary, profile);
	if (audience)
		audience->profile(profile, process, last, audience->arg);
}

static void hear_complete(void *arg)
{
	const struct publication *publication = arg;
	const struct audience *audience = publication->options->audience;

	if (audience)
		audience->complete(publication->taken_ns, audience->arg);
}

/* The symbolizer is kept, so that names are looked up once and not for every profile. */
static bool open_aggregate(struct publication *publication)
{
	struct summary *summary = &publication->summary;
	struct aggregate_options options = {
		.dir = publication->output->fd,
		.formats = publication->options->formats,
		.merges = merges(publication),
		.keep = publication->options->keep,
		.samples_max = publication->samples_max,
		.symbols_max = tracing_symbols_max(&publication->options->tracing),
		.start_ns = publication->start_ns,
		.start_unix_ns = publication->start_unix_ns,
		.recorder = recorder_options(publication->recorder),
		.site_skip = publication->options->site_skip,
		.each = hear,
		.complete = hear_complete,
		.arg = publication,
	};

	summary->dir = publication->output->fd;
	summary->quiet = publication->options->quiet;
	summary->whole = publication->options->whole_tables;
	summary->merges = merges(publication);
	summary->group = &publication->group;
	if (!publication->symbolizer)
		publication->symbolizer = symbolizer_new();
	options.symbolizer = publication->symbolizer;
	if (!publication->aggregate && publication->symbolizer)
		publication->aggregate = aggregate_new(&options);
	return publication->aggregate;
}

/* What a Go program says of itself. 0 or -ENOMEM. */
static int add_living_go(struct publication *publication, const struct peek *peek, struct image *image)
{
	struct profile *profile;
	int err;

	if (!go_reading_has_profile(image->go))
		return 0;
	err = peek_go(peek, image, &profile);
	return err ? err : snapshot_batch_add(&publication->batch, image->number, profile);
}

static int add_living(struct image *image, void *arg)
{
	struct publication *publication = arg;
	const struct peek peek = {
		.recorder = publication->recorder,
		.tally = publication->peek_tally,
		.kernel = publication->kernel,
		.start_ns = publication->start_ns,
		.start_unix_ns = publication->start_unix_ns,
		.now_ns = publication->taken_ns,
		.parts = SNAPSHOT_STACKS | SNAPSHOT_LIFETIMES | SNAPSHOT_MEMORY | SNAPSHOT_REGIONS,
	};
	struct snapshot_draft *draft;
	struct profile *profile;
	int err;

	if (image->ended || (!image->heap.alloc_count && !image->regions.sites))
		return image->ended ? 0 : add_living_go(publication, &peek, image);
	err = peek_image(&peek, image, &draft);
	err = err ? err : snapshot_draft_finish(draft, &profile);
	err = err ? err : snapshot_batch_add(&publication->batch, image->number, profile);
	return err ? err : add_living_go(publication, &peek, image);
}

/* With what has ended. 0 or -ENOMEM. */
static int begin_batch(struct publication *publication, unsigned int seq)
{
	if (!open_aggregate(publication))
		return -ENOMEM;
	snapshot_batch_begin(&publication->batch, publication->aggregate, seq, publication->recorder);
	publication->ended_samples += publication->batch.ended_samples;
	publication->backlog = !seq && publication->batch.ended_count == ENDED_IMAGES_MAX;
	if (!merges(publication) && publication->batch.ended_count)
		summary_hold(&publication->summary);
	return 0;
}

/* Wait for the batch, if there is one, and log the outcome. */
static void finish_batch(struct publication *publication, int err)
{
	unsigned int seq = publication->batch.seq;
	int batch_err = snapshot_batch_finish(&publication->batch);

	err = err ? err : batch_err;
	if (err && !publication->failed)
		say_failure(publication, "profiles", err);
	publication->failed |= err != 0;
	if (err || !seq)
		return;
	if (publication->requested)
		log_note("profiles %04u written to '%s/snapshots/%04u'", seq, publication->output->path, seq);
	else
		log_detail("profiles %04u written", seq);
}

bool publish_busy(struct publication *publication)
{
	if (publication->batch.aggregate && thread_is_done(&publication->batch.thread))
		finish_batch(publication, 0);
	return publication->batch.aggregate;
}

void publish_now(struct publication *publication, u64 now_ns, bool requested)
{
	int err;

	publication->requested = requested;
	publication->taken_ns = now_ns;
	if (requested)
		recorder_request(publication->recorder);
	err = begin_batch(publication, ++publication->seq);
	if (!err)
		err = recorder_for_each(publication->recorder, add_living, publication);
	if (!err)
		err = snapshot_batch_start(&publication->batch);
	if (err)
		finish_batch(publication, err);
}

void publish_ended(struct publication *publication)
{
	int err = begin_batch(publication, 0);

	if (!err && publication->batch.ended_count)
		err = snapshot_batch_start(&publication->batch);
	else if (!err && symbolizer_trim(publication->symbolizer, tracing_symbols_max(&publication->options->tracing)))
		malloc_trim(0);
	if (err || !publication->batch.ended_count)
		finish_batch(publication, err);
}

struct progress {
	u64 samples;
	double inuse_bytes;
};

static int add_progress(struct image *image, void *arg)
{
	struct progress *progress = arg;

	progress->samples += image->heap.alloc_count;
	progress->inuse_bytes += image->ended ? 0 : image->heap.inuse_bytes;
	return 0;
}

void publish_progress(struct publication *publication, u64 elapsed_ns)
{
	struct progress progress = {.samples = publication->ended_samples};

	recorder_for_each(publication->recorder, add_progress, &progress);
	log_progress("%llu s, %llu samples, %s in use (allocated since the start)",
		     (unsigned long long)(elapsed_ns / 1000000000), (unsigned long long)progress.samples,
		     units_bytes(progress.inuse_bytes).text);
}

/* --- the end, once tracing has stopped --- */

/* The first thing that cannot be written at the end is logged there. */
static void note(struct publication *publication, const char *what, int err)
{
	if (!err || publication->end_err)
		return;
	publication->end_err = err;
	publication->unwritten = what;
}

static int add_last(struct image *image, void *arg)
{
	struct publication *publication = arg;
	u64 end_ns = publication->start_ns + publication->duration_ns;

	note(publication, "profile", aggregate_add(publication->aggregate, image, end_ns));
	return 0;
}

static int write_index(const struct publication *publication)
{
	const struct aggregate_result *result = aggregate_result(publication->aggregate);
	struct recording recording = {
		.version = HEAPTAP_VERSION,
		.sample_bytes = publication->options->tracing.sample_bytes,
		.attach = publication->attach,
		.start_unix_ns = publication->start_unix_ns,
		.duration_ns = publication->duration_ns,
		.processes_missing = publication->processes_missing,
		.processes_refused = publication->processes_refused,
		.group = publication->group,
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

static void say_nobody(const struct selection_options *target)
{
	log_note("no process was traced: there was none%s%s%s%s", target->comm ? " named " : "",
		 target->comm ? target->comm : "", target->exe ? " that ran " : "", target->exe ? target->exe : "");
}

static void say_perf_maps(const struct aggregate_result *result)
{
	if (result->perfmaps_refused)
		log_note("the names that JIT compilers left in /tmp/perf-PID.map are not used for %" PRIu32
			 " process%s, the first (pid %" PRIu32 ") because: %s",
			 result->perfmaps_refused, result->perfmaps_refused == 1 ? "" : "es", result->perf_map_pid,
			 result->perf_map_refused);
}

static void say_merged(const struct publication *publication, const struct aggregate_result *result)
{
	const char *executables = result->executables == 1 ? "executable" : "executables";

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

static void say_go(const struct publication *publication, const struct aggregate_result *result)
{
	if (result->go_dropped)
		log_note("%" PRIu32 " Go programs ended after the first %" PRIu32
			 ", and what they kept of their own heaps is in no file; --keep keeps more of them",
			 result->go_dropped, publication->options->keep);
	if (result->go_torn)
		log_note(
			"%" PRIu32
			" Go programs kept publishing while their own heap profiles were read, at times eight readings in a "
			"row: then an earlier one stands",
			result->go_torn);
}

static void say_nameless(const struct publication *publication)
{
	const char *complaint;

	for (unsigned int i = 0; publication->symbolizer; i++) {
		complaint = symbolizer_complaint(publication->symbolizer, i);
		if (!complaint)
			return;
		log_note("some names may be missing: %s", complaint);
	}
}

/* What has become of the files. */
static int say_written(const struct publication *publication)
{
	const char *path = publication->output->path;
	u64 files;

	say_nameless(publication);
	if (publication->end_err)
		say_failure(publication, publication->unwritten, publication->end_err);
	if (publication->end_err || publication->failed)
		return STATUS_FAILED;
	files = count_files(&aggregate_result(publication->aggregate)->processes) +
		count_files(&aggregate_result(publication->aggregate)->merged);
	log_note("%" PRIu64 " profile file%s and index.json written to '%s'", files, files == 1 ? "" : "s", path);
	summary_say_next(aggregate_result(publication->aggregate), path);
	return STATUS_DONE;
}

static int say_growing(const struct aggregate_result *result)
{
	u32 sites = result->growing_sites, processes = result->growing_processes;

	if (!sites)
		return STATUS_DONE;
	log_error("--fail-on growing: %u site%s in %u process%s grow%s:", sites, sites == 1 ? "" : "s", processes,
		  processes == 1 ? "" : "es", sites == 1 ? "s" : "");
	for (u32 i = 0; i < AGGREGATE_GROWING && result->growing[i]; i++)
		log_error("  %s", result->growing[i]);
	if (sites > AGGREGATE_GROWING)
		log_error("  and %u more; 'heaptap report --lifetimes' shows them", sites - AGGREGATE_GROWING);
	return STATUS_FOUND;
}

int publish_finish(struct publication *publication)
{
	const struct aggregate_result *result;
	int status;

	finish_batch(publication, 0);
	if (!open_aggregate(publication)) {
		note(publication, "profiles", -ENOMEM);
		return say_written(publication);
	}
	note(publication, "summary", summary_let_go(&publication->summary));
	recorder_for_each(publication->recorder, add_last, publication);
	note(publication, "merged profiles", aggregate_finish(publication->aggregate));
	note(publication, "index.json", write_index(publication));
	publication->taken_ns = publication->start_ns + publication->duration_ns;
	hear_complete(publication);
	result = aggregate_result(publication->aggregate);
	if (merges(publication) && !result->processes.count)
		say_nobody(&publication->options->tracing.target);
	else
		summary_print(&publication->summary, result);
	if (merges(publication))
		say_merged(publication, result);
	say_go(publication, result);
	say_perf_maps(result);
	advice_say(&result->advice);
	status = say_written(publication);
	return status == STATUS_DONE && publication->options->fail_on_growing ? say_growing(result) : status;
}

void publish_release(struct publication *publication)
{
	snapshot_batch_finish(&publication->batch);
	summary_release(&publication->summary);
	aggregate_free(publication->aggregate);
	symbolizer_free(publication->symbolizer);
}
