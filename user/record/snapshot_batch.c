/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread that names and writes profiles while recording goes on. Called by publish.c; says nothing itself. */
#include "record/snapshot_batch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/thread.h"
#include "binary/symbolizer.h"
#include "profile/symbolize.h"
#include "base/string_list.h"
#include "format/output_file.h"

struct snapshot_batch {
	int dir;
	unsigned int formats, seq;
	struct symbolizer *symbolizer;
	struct interim *interims;
	int err; /* the first */
	const struct snapshot_batch_hook *hook;
	struct thread background;
};

struct snapshot_batch *snapshot_batch_new(int dir, unsigned int formats, unsigned int seq,
					  struct symbolizer *symbolizer, const struct snapshot_batch_hook *hook)
{
	struct snapshot_batch *batch = calloc(1, sizeof(*batch));

	if (batch)
		*batch = (struct snapshot_batch){
			.dir = dir, .formats = formats, .seq = seq, .symbolizer = symbolizer, .hook = hook};
	return batch;
}

int snapshot_batch_add(struct snapshot_batch *batch, u32 process, struct profile *profile)
{
	struct interim *interim = calloc(1, sizeof(*interim));

	if (!interim) {
		profile_free(profile);
		return -ENOMEM;
	}
	*interim = (struct interim){.process = process, .profile = profile, .next = batch->interims};
	batch->interims = interim;
	interim->root.fd = -1;
	if (!profile->root)
		return 0;
	interim->root = *profile->root;
	interim->root.fd = fcntl(interim->root.fd, F_DUPFD_CLOEXEC, 0);
	profile->root = interim->root.fd >= 0 ? &interim->root : NULL;
	return 0;
}

static void release_profile(struct interim *interim)
{
	profile_free(interim->profile);
	interim->profile = NULL;
	root_fs_close(&interim->root);
}

static int write_one(const struct snapshot_batch *batch, struct interim *interim)
{
	int err = profile_symbolize(interim->profile, batch->symbolizer);

	if (!err)
		err = output_file_write(batch->dir, interim->profile, batch->formats, batch->seq, &interim->files);
	if (!err && batch->hook)
		err = batch->hook->each(batch->hook->arg, interim->profile);
	release_profile(interim);
	return err;
}

static void write_all(void *arg)
{
	struct snapshot_batch *batch = arg;
	int err = 0;

	if (batch->hook)
		batch->err = batch->hook->first(batch->hook->arg);
	for (struct interim *interim = batch->interims; interim; interim = interim->next) {
		err = write_one(batch, interim);
		batch->err = batch->err ? batch->err : err;
	}
	if (batch->hook)
		err = batch->hook->last(batch->hook->arg, batch->seq);
	batch->err = batch->err ? batch->err : err;
	/* It may be long until the next batch, and nobody counts on so much memory while tracing goes on. */
	symbolizer_drop_files(batch->symbolizer);
}

int snapshot_batch_start(struct snapshot_batch *batch)
{
	return thread_start(&batch->background, write_all, batch);
}

bool snapshot_batch_is_done(const struct snapshot_batch *batch)
{
	return thread_is_done(&batch->background);
}

int snapshot_batch_finish(struct snapshot_batch *batch, struct interim **interims)
{
	struct interim **last = &batch->interims;
	int err;

	thread_finish(&batch->background);
	for (; *last; last = &(*last)->next)
		if ((*last)->profile)
			release_profile(*last);
	*last = *interims;
	*interims = batch->interims;
	err = batch->err;
	free(batch);
	return err;
}

void interims_free(struct interim *interims)
{
	while (interims) {
		struct interim *interim = interims;

		interims = interim->next;
		string_list_free(interim->files);
		free(interim);
	}
}
