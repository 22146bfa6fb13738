/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a recording: snapshot, names, files, summary. Called by record. */
#include "publish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "summary.h"
#include "symbol.h"
#include "writer.h"

#define SUMMARY_SITES 10

struct published {
	struct profile *profile;
	char **files;
};

struct collection {
	const struct publication *publication;
	struct symbolizer *symbolizer;
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

static void write_image(struct collection *collection, struct published *published)
{
	const struct publication *publication = collection->publication;
	int err;

	if (!published->profile->sample_count)
		return;
	err = writer_write(publication->output->fd, published->profile, publication->options->formats, 0,
			   &published->files);
	if (err)
		fail(collection, "profile", err);
	for (char **file = published->files; file && *file; file++)
		collection->file_count++;
}

static int publish_image(struct process *process, void *arg)
{
	struct collection *collection = arg;
	const struct publication *publication = collection->publication;
	struct published *published;
	int err = grow(collection);

	if (err)
		return err;
	published = &collection->images[collection->count];
	*published = (struct published){.profile = NULL};
	err = recorder_snapshot(publication->recorder, process, publication->start_ns + publication->duration_ns,
				unix_ns(publication, process->start_ns), &published->profile);
	if (err)
		return err;
	collection->count++;
	err = profile_symbolize(published->profile, collection->symbolizer);
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

static int say_result(const struct collection *collection)
{
	const char *path = collection->publication->output->path;

	if (collection->err) {
		log_error("cannot write the %s into '%s': %s; what stood there before is intact, choose another place "
			  "with -o",
			  collection->failed, path, strerror(-collection->err));
		return STATUS_FAILED;
	}
	log_note("%u profile file%s and index.json written to '%s'; 'heaptap report %s' shows them",
		 collection->file_count, collection->file_count == 1 ? "" : "s", path, path);
	return STATUS_DONE;
}

int publish_all(const struct publication *publication)
{
	struct collection collection = {.publication = publication, .symbolizer = symbolizer_new()};
	int err = collection.symbolizer ? 0 : -ENOMEM, status;

	recorder_request(publication->recorder);
	if (!err)
		err = recorder_for_each(publication->recorder, publish_image, &collection);
	if (err)
		fail(&collection, "profiles", err);
	index_recording(&collection);
	print_summaries(&collection);
	if (collection.symbolizer && symbolizer_complaint(collection.symbolizer))
		log_note("some names may be missing: %s", symbolizer_complaint(collection.symbolizer));
	status = say_result(&collection);
	for (u32 i = 0; i < collection.count; i++) {
		writer_files_free(collection.images[i].files);
		profile_free(collection.images[i].profile);
	}
	free(collection.images);
	symbolizer_free(collection.symbolizer);
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
