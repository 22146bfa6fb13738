/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Snapshot, names, files, and at the end of a recording the index and the summary. Called by record. */
#include "publish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interim.h"
#include "lifetable.h"
#include "log.h"
#include "summary.h"
#include "symbol.h"
#include "writer.h"

#define SUMMARY_SITES 10

struct published {
	u32 process;
	struct profile *profile;
	char **files;
};

struct collection {
	struct publication *publication;
	struct published *images;
	u32 count, capacity, file_count;
	int err;	    /* the first thing that could not be written */
	const char *failed; /* what that was */
};

static void fail(struct collection *collection, const char *what, int err)
{
	if (collection->err)
		return;
	collection->err = err;
	collection->failed = what;
}

static int grow(struct collection *collection)
{
	u32 capacity = collection->capacity ? collection->capacity * 2 : 16;
	struct published *images;

	if (collection->count < collection->capacity)
		return 0;
	images = reallocarray(collection->images, capacity, sizeof(*images));
	if (!images)
		return -ENOMEM;
	collection->images = images;
	collection->capacity = capacity;
	return 0;
}

/* Wall time of a moment of the recording. */
static u64 unix_ns(const struct publication *publication, u64 monotonic_ns)
{
	return publication->start_unix_ns + (monotonic_ns - publication->start_ns);
}

static void say_failure(const struct publication *publication, const char *what, int err)
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

static int take_interim(struct process *process, void *arg)
{
	struct publication *publication = arg;
	struct profile *profile;
	int err;

	if (process->ended || !process->heap.alloc_count)
		return 0;
	err = recorder_snapshot(publication->recorder, process, publication->taken_ns,
				unix_ns(publication, process->start_ns), &profile);
	return err ? err : interim_batch_add(publication->batch, process->number, profile);
}

static int start_batch(struct publication *publication)
{
	int err;

	if (!open_symbolizer(publication))
		return -ENOMEM;
	publication->batch = interim_batch_new(publication->output->fd, publication->options->formats, publication->seq,
					       publication->symbolizer);
	if (!publication->batch)
		return -ENOMEM;
	err = recorder_for_each(publication->recorder, take_interim, publication);
	return err ? err : interim_batch_start(publication->batch);
}

/* Wait for the batch, if there is one, and say what has become of it. */
static void finish_batch(struct publication *publication, int err)
{
	int batch_err;

	if (publication->batch) {
		batch_err = interim_batch_finish(publication->batch, &publication->interims);
		err = err ? err : batch_err;
	}
	publication->batch = NULL;
	if (!err) {
		if (publication->requested)
			log_note("profiles %04u written to '%s'", publication->seq, publication->output->path);
		else
			log_detail("profiles %04u written", publication->seq);
		return;
	}
	if (!publication->failed)
		say_failure(publication, "profiles", err);
	publication->failed = true;
}

bool publish_busy(struct publication *publication)
{
	if (publication->batch && interim_batch_is_done(publication->batch))
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

/* What was written of the image before comes behind its last profile, oldest first. */
static int add_interims(const struct publication *publication, struct published *published)
{
	size_t count = 0, room = 0;
	char **files;

	for (const struct interim *interim = publication->interims; interim; interim = interim->next)
		for (char **file = interim->files; interim->process == published->process && file && *file; file++)
			room++;
	while (published->files && published->files[count])
		count++;
	files = reallocarray(published->files, count + room + 1, sizeof(*files));
	if (!files)
		return -ENOMEM;
	published->files = files;
	files[count + room] = NULL;
	for (const struct interim *interim = publication->interims; interim; interim = interim->next) {
		size_t own = 0;

		if (interim->process != published->process || !interim->files)
			continue;
		while (interim->files[own])
			own++;
		room -= own;
		memcpy(&files[count + room], interim->files, own * sizeof(*files));
		interim->files[0] = NULL;
	}
	return 0;
}

void publish_release(struct publication *publication)
{
	if (publication->batch)
		interim_batch_finish(publication->batch, &publication->interims);
	symbolizer_free(publication->symbolizer);
	interims_free(publication->interims);
}

/* --- at its end --- */

static void write_image(struct collection *collection, struct published *published)
{
	const struct publication *publication = collection->publication;
	int err;

	if (!published->profile->sample_count)
		return;
	err = writer_write(publication->output->fd, published->profile, publication->options->formats, 0,
			   &published->files);
	if (!err)
		err = add_interims(publication, published);
	if (err)
		fail(collection, "profile", err);
	for (char **file = published->files; file && *file; file++)
		collection->file_count++;
}

static int publish_image(struct process *process, void *arg)
{
	struct collection *collection = arg;
	struct publication *publication = collection->publication;
	struct published *published;
	int err = grow(collection);

	if (err)
		return err;
	published = &collection->images[collection->count];
	*published = (struct published){.process = process->number};
	err = recorder_snapshot(publication->recorder, process, publication->start_ns + publication->duration_ns,
				unix_ns(publication, process->start_ns), &published->profile);
	if (err)
		return err;
	collection->count++;
	err = profile_symbolize(published->profile, publication->symbolizer);
	if (err)
		return err;
	if (published->profile->perfmap_refused)
		log_note("process %u: the names in its /tmp/perf-%d.map are not used: %s", process->pid,
			 process->root.inner_pid, published->profile->perfmap_refused);
	write_image(collection, published);
	return 0;
}

static void index_recording(struct collection *collection)
{
	const struct publication *publication = collection->publication;
	struct recording recording = {
		.version = HEAPTAP_VERSION,
		.sample_bytes = publication->options->sample_bytes,
		.attach = publication->attach,
		.start_unix_ns = publication->start_unix_ns,
		.duration_ns = publication->duration_ns,
		.options = (const char *const *)publication->options->argv,
	};
	struct index_entry *entries = calloc(collection->count + 1, sizeof(*entries));
	int err;

	if (!entries) {
		fail(collection, "index.json", -ENOMEM);
		return;
	}
	for (u32 i = 0; i < collection->count; i++) {
		static char *none[] = {NULL};

		entries[i].profile = collection->images[i].profile;
		entries[i].files = collection->images[i].files ? collection->images[i].files : none;
	}
	err = writer_index(publication->output->fd, &recording, entries, collection->count);
	if (err)
		fail(collection, "index.json", err);
	free(entries);
}

static void print_summaries(const struct collection *collection)
{
	if (collection->publication->options->verbosity < 0)
		return;
	for (u32 i = 0; i < collection->count; i++)
		summary_print(collection->images[i].profile, SUMMARY_SITES, stderr);
}

/* What --fail-on is to find; said even with -q, being the answer to a question. */
static int look_for_growth(const struct collection *collection)
{
	u32 growing = 0, processes = 0;

	for (u32 i = 0; i < collection->count; i++) {
		u32 sites = lifetable_growing(collection->images[i].profile);

		growing += sites;
		processes += sites > 0;
	}
	if (!growing)
		return STATUS_DONE;
	log_error("--fail-on growing: %u site%s in %u process%s grow%s", growing, growing == 1 ? "" : "s", processes,
		  processes == 1 ? "" : "es", growing == 1 ? "s" : "");
	return STATUS_FOUND;
}

static int say_result(const struct collection *collection)
{
	const char *path = collection->publication->output->path;

	if (collection->err)
		say_failure(collection->publication, collection->failed, collection->err);
	if (collection->err || collection->publication->failed)
		return STATUS_FAILED;
	log_note("%u profile file%s and index.json written to '%s'; 'heaptap report %s' shows them",
		 collection->file_count, collection->file_count == 1 ? "" : "s", path, path);
	return STATUS_DONE;
}

int publish_all(struct publication *publication)
{
	struct collection collection = {.publication = publication};
	int err, status;

	if (publication->batch)
		finish_batch(publication, 0);
	err = open_symbolizer(publication) ? 0 : -ENOMEM;
	recorder_request(publication->recorder);
	if (!err)
		err = recorder_for_each(publication->recorder, publish_image, &collection);
	if (err)
		fail(&collection, "profiles", err);
	index_recording(&collection);
	print_summaries(&collection);
	if (publication->symbolizer && symbolizer_complaint(publication->symbolizer))
		log_note("some names may be missing: %s", symbolizer_complaint(publication->symbolizer));
	status = say_result(&collection);
	if (status == STATUS_DONE && publication->options->fail_on_growing)
		status = look_for_growth(&collection);
	for (u32 i = 0; i < collection.count; i++) {
		writer_files_free(collection.images[i].files);
		profile_free(collection.images[i].profile);
	}
	free(collection.images);
	return status;
}

struct progress {
	u64 samples;
	double inuse_bytes;
};

static int add_progress(struct process *process, void *arg)
{
	struct progress *progress = arg;

	progress->samples += process->heap.alloc_count;
	progress->inuse_bytes += process->ended ? 0 : process->heap.inuse_bytes;
	return 0;
}

void publish_progress(struct recorder *recorder, u64 elapsed_ns)
{
	struct progress progress = {0};
	char inuse[32];

	recorder_for_each(recorder, add_progress, &progress);
	log_progress("%llu s, %llu samples, %s in use (allocated since the start)",
		     (unsigned long long)(elapsed_ns / 1000000000), (unsigned long long)progress.samples,
		     summary_bytes(progress.inuse_bytes, inuse));
}
