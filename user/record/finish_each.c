/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a recording of listed processes: files, index and a summary of each. Called by publish. */
#include "record/finish.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record/snapshot_batch.h"
#include "format/table_lifetimes.h"
#include "base/log.h"
#include "format/table_profile.h"
#include "binary/symbolizer.h"
#include "profile/symbolize.h"
#include "base/string_list.h"
#include "format/index_write.h"
#include "format/output_file.h"

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

static void write_image(struct collection *collection, struct published *published)
{
	const struct publication *publication = collection->publication;
	int err;

	if (!published->profile->sample_count)
		return;
	err = output_file_write(publication->output->fd, published->profile, publication->options->formats, 0,
				&published->files);
	if (!err)
		err = add_interims(publication, published);
	if (err)
		fail(collection, "profile", err);
	for (char **file = published->files; file && *file; file++)
		collection->file_count++;
}

static int publish_image(struct image *image, void *arg)
{
	struct collection *collection = arg;
	struct publication *publication = collection->publication;
	struct published *published;
	int err = grow(collection);

	if (err)
		return err;
	published = &collection->images[collection->count];
	*published = (struct published){.process = image->number};
	err = recorder_snapshot(publication->recorder, image, publication->start_ns + publication->duration_ns,
				publish_unix_ns(publication, image->start_ns), &published->profile);
	if (err)
		return err;
	collection->count++;
	err = profile_symbolize(published->profile, publication->symbolizer);
	if (err)
		return err;
	if (published->profile->perf_map_refused)
		log_note("process %u: the names in its /tmp/perf-%d.map are not used: %s", image->pid,
			 image->root.inner_pid, published->profile->perf_map_refused);
	write_image(collection, published);
	return 0;
}

static void index_recording(struct collection *collection)
{
	const struct publication *publication = collection->publication;
	struct recording recording = finish_recording(publication);
	struct index_entry *entries = calloc(collection->count + 1, sizeof(*entries));
	int err;

	if (!entries) {
		fail(collection, "index.json", -ENOMEM);
		return;
	}
	for (u32 i = 0; i < collection->count; i++)
		entries[i] = index_entry_of(collection->images[i].profile, collection->images[i].files);
	err = index_write_file(publication->output->fd, &recording, entries, collection->count);
	if (err)
		fail(collection, "index.json", err);
	free(entries);
}

static void print_summaries(const struct collection *collection)
{
	if (collection->publication->options->quiet)
		return;
	for (u32 i = 0; i < collection->count; i++)
		table_profile_print(collection->images[i].profile, SUMMARY_SITES, stderr);
}

static void count_growth(const struct collection *collection, u32 *ret_sites, u32 *ret_processes)
{
	*ret_sites = *ret_processes = 0;
	for (u32 i = 0; i < collection->count; i++) {
		u32 sites = table_lifetimes_growing(collection->images[i].profile);

		*ret_sites += sites;
		*ret_processes += sites > 0;
	}
}

int finish_each(struct publication *publication)
{
	struct collection collection = {.publication = publication};
	u32 sites = 0, processes = 0;
	int err, status;

	err = publication->symbolizer ? recorder_for_each(publication->recorder, publish_image, &collection) : -ENOMEM;
	if (err)
		fail(&collection, "profiles", err);
	index_recording(&collection);
	print_summaries(&collection);
	if (publication->options->fail_on_growing)
		count_growth(&collection, &sites, &processes);
	status = finish_say(publication, collection.failed, collection.err, collection.file_count);
	if (status == STATUS_DONE)
		status = finish_growth(sites, processes);
	for (u32 i = 0; i < collection.count; i++) {
		string_list_free(collection.images[i].files);
		profile_free(collection.images[i].profile);
	}
	free(collection.images);
	return status;
}
