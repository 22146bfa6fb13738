/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/publish.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "binary/symbolizer.h"
#include "format/table_profile.h"
#include "heap/snapshot.h"
#include "profile/ledger.h"

bool publish_merges(const struct publication *publication)
{
	return publication->options->target.population != POPULATION_LISTED;
}

void publish_say_failure(const struct publication *publication, const char *what, int err)
{
	log_error(
		"cannot write the %s into '%s': %s; the files that were there before are intact; choose another place with -o",
		what, publication->output->path, strerror(-err));
}

/* An image's summary, where nothing is merged; otherwise finish.c prints one of all. */
static void print_summary(const struct profile *profile, void *arg)
{
	const struct publication *publication = arg;

	if (profile->perf_map_refused)
		log_note("process %u: the names in its /tmp/perf-%d.map are not used: %s", profile->pid,
			 profile->root->inner_pid, profile->perf_map_refused);
	if (!publication->options->quiet)
		table_profile_print(profile, PUBLISH_SUMMARY_SITES, stderr);
}

/* The symbolizer is kept, so that names are looked up once and not for every profile. */
static bool open_aggregate(struct publication *publication)
{
	struct aggregate_options options = {
		.dir = publication->output->fd,
		.formats = publication->options->formats,
		.merges = publish_merges(publication),
		.keep = publication->options->keep,
		.samples_max = publication->samples_max,
		.start_ns = publication->start_ns,
		.start_unix_ns = publication->start_unix_ns,
		.recorder = recorder_options(publication->recorder),
		.each = publish_merges(publication) ? NULL : print_summary,
		.arg = publication,
	};

	if (!publication->symbolizer)
		publication->symbolizer = symbolizer_new();
	options.symbolizer = publication->symbolizer;
	if (!publication->aggregate && publication->symbolizer)
		publication->aggregate = aggregate_new(&options);
	return publication->aggregate;
}

/*
 * The ledger of a living image has what ended before: the rest is looked at for the profile, and settled at the end.
 * Events that the programs counted but that have not arrived, although all that was in the ring has, are in flight.
 */
static int snapshot_living(struct publication *publication, struct image *image, struct profile **ret_profile)
{
	u64 settled[COUNTER_MAX];
	int err;

	memcpy(settled, image->ledger, sizeof(settled));
	err = publication->peek_tally(publication->kernel, image->number, image->ledger);
	image_balance(image);
	image->ledger[COUNTER_IN_FLIGHT] += ledger_missing(image->ledger);
	if (!err)
		err = snapshot_take(recorder_options(publication->recorder), image, publication->taken_ns,
				    publication->start_unix_ns + (image->start_ns - publication->start_ns),
				    ret_profile);
	memcpy(image->ledger, settled, sizeof(settled));
	return err;
}

static int add_living(struct image *image, void *arg)
{
	struct publication *publication = arg;
	struct profile *profile;
	int err;

	if (image->ended || !image->heap.alloc_count)
		return 0;
	err = snapshot_living(publication, image, &profile);
	return err ? err : snapshot_batch_add(&publication->batch, image->number, profile);
}

/* With what has ended, if that is to be forgotten. 0 or -ENOMEM. */
static int begin_batch(struct publication *publication, unsigned int seq)
{
	if (!open_aggregate(publication))
		return -ENOMEM;
	snapshot_batch_begin(&publication->batch, publication->aggregate, seq);
	if (publish_merges(publication))
		snapshot_batch_take_ended(&publication->batch, publication->recorder);
	publication->ended_samples += publication->batch.ended_samples;
	return 0;
}

/* Wait for the batch, if there is one, and log the outcome. */
static void finish_batch(struct publication *publication, int err)
{
	unsigned int seq = publication->batch.seq;
	int batch_err = snapshot_batch_finish(&publication->batch);

	err = err ? err : batch_err;
	if (err && !publication->failed)
		publish_say_failure(publication, "profiles", err);
	publication->failed |= err != 0;
	if (err || !seq)
		return;
	if (publication->requested)
		log_note("profiles %04u written to '%s'", seq, publication->output->path);
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
	int err;

	if (!publish_merges(publication))
		return;
	err = begin_batch(publication, 0);
	if (!err && publication->batch.ended_count)
		err = snapshot_batch_start(&publication->batch);
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

bool publish_stop(struct publication *publication)
{
	finish_batch(publication, 0);
	return open_aggregate(publication);
}

void publish_release(struct publication *publication)
{
	snapshot_batch_finish(&publication->batch);
	aggregate_free(publication->aggregate);
	symbolizer_free(publication->symbolizer);
}
