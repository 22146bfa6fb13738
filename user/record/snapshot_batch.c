/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record/snapshot_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>

#include "profile/memory_reading.h"
#include "system/root_fs.h"

struct snapshot {
	u32 process;
	struct profile *profile;
	struct root_fs root; /* the image's own may be closed meanwhile */
	struct snapshot *next;
};

void snapshot_batch_begin(struct snapshot_batch *batch, struct aggregate *aggregate, unsigned int seq,
			  struct recorder *recorder)
{
	struct image *image, **last = &batch->ended;

	*batch = (struct snapshot_batch){.aggregate = aggregate, .seq = seq};
	while (recorder && (seq || batch->ended_count < ENDED_IMAGES_MAX) && (image = recorder_take_ended(recorder))) {
		*last = image;
		last = &image->ended_next;
		batch->ended_count++;
		batch->ended_samples += image->heap.alloc_count;
	}
}

int snapshot_batch_add(struct snapshot_batch *batch, u32 process, struct profile *profile)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot) {
		profile_free(profile);
		return -ENOMEM;
	}
	*snapshot = (struct snapshot){.process = process, .profile = profile, .root.fd = -1, .next = batch->snapshots};
	batch->snapshots = snapshot;
	if (!profile->root)
		return 0;
	snapshot->root = *profile->root;
	snapshot->root.fd = fcntl(snapshot->root.fd, F_DUPFD_CLOEXEC, 0);
	profile->root = snapshot->root.fd >= 0 ? &snapshot->root : NULL;
	return 0;
}

static void note(struct snapshot_batch *batch, int err)
{
	batch->err = batch->err ? batch->err : err;
}

static void add_ended(struct snapshot_batch *batch)
{
	while (batch->ended) {
		struct image *image = batch->ended;

		batch->ended = image->ended_next;
		note(batch, aggregate_add(batch->aggregate, image, image->end_ns));
		image_free(image);
	}
}

static void add_living(struct snapshot_batch *batch, bool write)
{
	while (batch->snapshots) {
		struct snapshot *snapshot = batch->snapshots;

		batch->snapshots = snapshot->next;
		if (write)
			note(batch,
			     aggregate_interim(batch->aggregate, snapshot->process, snapshot->profile, batch->seq));
		profile_free(snapshot->profile);
		root_fs_close(&snapshot->root);
		free(snapshot);
	}
}

/* First of all: what is read is to be of the moment that the counts are of. */
static void read_memory(struct snapshot_batch *batch)
{
	for (struct snapshot *snapshot = batch->snapshots; snapshot; snapshot = snapshot->next)
		profile_read_memory(snapshot->profile);
}

static void write_all(void *arg)
{
	struct snapshot_batch *batch = arg;

	read_memory(batch);
	add_ended(batch);
	add_living(batch, true);
	note(batch, aggregate_interim_finish(batch->aggregate, batch->seq));
	/* What was freed lies between what living images have, from where malloc itself gives nothing back. */
	malloc_trim(0);
}

int snapshot_batch_start(struct snapshot_batch *batch)
{
	return thread_start(&batch->thread, write_all, batch);
}

int snapshot_batch_finish(struct snapshot_batch *batch)
{
	int err;

	thread_finish(&batch->thread);
	if (batch->ended) {
		add_ended(batch);
		note(batch, aggregate_interim_finish(batch->aggregate, 0));
	}
	add_living(batch, false);
	err = batch->err;
	*batch = (struct snapshot_batch){0};
	return err;
}
