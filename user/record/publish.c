/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshot, names, files, and at the end of a recording the index and the summary. Called by record. */
#include "record/publish.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record/finish.h"
#include "profile/ledger.h"
#include "base/log.h"
#include "record/ended_images.h"
#include "format/table_profile.h"
#include "binary/symbolizer.h"

u64 publish_unix_ns(const struct publication *publication, u64 monotonic_ns)
{
	return publication->start_unix_ns + (monotonic_ns - publication->start_ns);
}

void publish_say_failure(const struct publication *publication, const char *what, int err)
{
	log_error("cannot write the %s into '%s': %s; what stood there before is intact, choose another place with -o",
		  what, publication->output->path, strerror(-err));
}

/* --- while it runs --- */

/* Kept, so that names are looked up once and not for every profile. */
static bool open_symbolizer(struct publication *publication)
{
	if (!publication->symbolizer)
		publication->symbolizer = symbolizer_new();
	return publication->symbolizer;
}

/*
 * Of a living image the ledger has what ended before: the rest is looked at for the profile, and settled at the end.
 * What is on its way from the programs, when all that they told has been taken in, is in flight.
 */
static int snapshot_living(struct publication *publication, struct image *image, struct profile **ret_profile)
{
	u64 settled[COUNTER_MAX];
	int err;

	memcpy(settled, image->ledger, sizeof(settled));
	err = publication->peek_tally(publication->tracer, image->number, image->ledger);
	image_balance(image);
	image->ledger[COUNTER_IN_FLIGHT] += ledger_missing(image->ledger);
	if (!err)
		err = recorder_snapshot(publication->recorder, image, publication->taken_ns,
					publish_unix_ns(publication, image->start_ns), ret_profile);
	memcpy(image->ledger, settled, sizeof(settled));
	return err;
}

static int take_interim(struct image *image, void *arg)
{
	struct publication *publication = arg;
	struct profile *profile;
	int err;

	if (image->ended || !image->heap.alloc_count)
		return 0;
	err = snapshot_living(publication, image, &profile);
	return err ? err : snapshot_batch_add(publication->batch, image->number, profile);
}

static bool is_population(const struct publication *publication)
{
	return publication->options->target.population != POPULATION_LISTED;
}

bool publish_open_census(struct publication *publication)
{
	struct aggregate_options options = {
		.dir = publication->output->fd,
		.formats = publication->options->formats,
		.keep = publication->options->keep,
		.samples_max = publication->samples_max,
		.start_ns = publication->start_ns,
		.start_unix_ns = publication->start_unix_ns,
		.recorder = recorder_options(publication->recorder),
	};

	if (publication->aggregate || !open_symbolizer(publication))
		return publication->aggregate;
	options.symbolizer = publication->symbolizer;
	publication->aggregate = aggregate_new(&options);
	return publication->aggregate;
}

/* What has ended goes with the batch, before what lives. */
static int take_ended(struct publication *publication, bool all)
{
	if (!is_population(publication))
		return 0;
	if (!publish_open_census(publication))
		return -ENOMEM;
	ended_images_take(&publication->retirement, publication->aggregate, publication->recorder, all);
	publication->retired_samples += publication->retirement.samples;
	return 0;
}

static int open_batch(struct publication *publication, unsigned int seq)
{
	const struct snapshot_batch_hook *hook = is_population(publication) ? &publication->retirement.hook : NULL;

	publication->seq_written = seq;
	if (!open_symbolizer(publication))
		return -ENOMEM;
	publication->batch = snapshot_batch_new(publication->output->fd, publication->options->formats, seq,
						publication->symbolizer, hook);
	return publication->batch ? 0 : -ENOMEM;
}

static int start_batch(struct publication *publication)
{
	int err = take_ended(publication, true);

	if (!err && is_population(publication))
		err = ended_images_with_merged(&publication->retirement);
	if (!err)
		err = open_batch(publication, publication->seq);
	if (!err)
		err = recorder_for_each(publication->recorder, take_interim, publication);
	return err ? err : snapshot_batch_start(publication->batch);
}

/* To be told of with the last profile of each image. */
static int hand_to_census(struct publication *publication)
{
	int first_err = 0;

	for (struct interim *interim = publication->interims; interim; interim = interim->next) {
		int err = interim->files
				  ? aggregate_keep_files(publication->aggregate, interim->process, interim->files)
				  : 0;

		interim->files = NULL;
		first_err = first_err ? first_err : err;
	}
	interims_free(publication->interims);
	publication->interims = NULL;
	return first_err;
}

static void say_written(const struct publication *publication)
{
	if (!publication->seq_written)
		return;
	if (publication->requested)
		log_note("profiles %04u written to '%s'", publication->seq_written, publication->output->path);
	else
		log_detail("profiles %04u written", publication->seq_written);
}

/* Wait for the batch, if there is one, and say what has become of it. */
static void finish_batch(struct publication *publication, int err)
{
	int batch_err = 0;

	if (publication->batch)
		batch_err = snapshot_batch_finish(publication->batch, &publication->interims);
	err = err ? err : batch_err;
	publication->batch = NULL;
	ended_images_release(&publication->retirement);
	if (publication->aggregate) {
		batch_err = hand_to_census(publication);
		err = err ? err : batch_err;
	}
	if (!err) {
		say_written(publication);
		return;
	}
	if (!publication->failed)
		publish_say_failure(publication, "profiles", err);
	publication->failed = true;
}

bool publish_busy(struct publication *publication)
{
	if (publication->batch && snapshot_batch_is_done(publication->batch))
		finish_batch(publication, 0);
	return publication->batch;
}

void publish_now(struct publication *publication, u64 now_ns, bool requested)
{
	int err;

	publication->seq++;
	publication->requested = requested;
	publication->taken_ns = now_ns;
	if (requested)
		recorder_request(publication->recorder);
	err = start_batch(publication);
	if (err)
		finish_batch(publication, err);
}

void publish_ended(struct publication *publication)
{
	int err = take_ended(publication, false);

	if (!err && !publication->retirement.count)
		return;
	if (!err)
		err = open_batch(publication, 0);
	if (!err)
		err = snapshot_batch_start(publication->batch);
	if (err)
		finish_batch(publication, err);
}

void publish_release(struct publication *publication)
{
	if (publication->batch)
		snapshot_batch_finish(publication->batch, &publication->interims);
	ended_images_release(&publication->retirement);
	aggregate_free(publication->aggregate);
	symbolizer_free(publication->symbolizer);
	interims_free(publication->interims);
}

/* --- at its end --- */

int publish_all(struct publication *publication)
{
	if (publication->batch)
		finish_batch(publication, 0);
	open_symbolizer(publication);
	recorder_request(publication->recorder);
	return is_population(publication) ? finish_population(publication) : finish_each(publication);
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
	struct progress progress = {.samples = publication->retired_samples};
	char inuse[32];

	recorder_for_each(publication->recorder, add_progress, &progress);
	log_progress("%llu s, %llu samples, %s in use (allocated since the start)",
		     (unsigned long long)(elapsed_ns / 1000000000), (unsigned long long)progress.samples,
		     table_profile_bytes(progress.inuse_bytes, inuse));
}
