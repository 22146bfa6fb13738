/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thread that names and writes profiles while recording goes on. Called by publish.c; says nothing itself. */
#include "interim.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "symbol.h"
#include "writer.h"

struct interim_batch {
	int dir;
	unsigned int formats, seq;
	struct symbolizer *symbolizer;
	struct interim *interims;
	int err; /* the first */
	pthread_t thread;
	bool started;
	atomic_bool done;
};

struct interim_batch *interim_batch_new(int dir, unsigned int formats, unsigned int seq, struct symbolizer *symbolizer)
{
	struct interim_batch *batch = calloc(1, sizeof(*batch));

	if (batch)
		*batch = (struct interim_batch){.dir = dir, .formats = formats, .seq = seq, .symbolizer = symbolizer};
	return batch;
}

int interim_batch_add(struct interim_batch *batch, u32 process, struct profile *profile)
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
	root_close(&interim->root);
}

static int write_one(const struct interim_batch *batch, struct interim *interim)
{
	int err = profile_symbolize(interim->profile, batch->symbolizer);

	if (!err)
		err = writer_write(batch->dir, interim->profile, batch->formats, batch->seq, &interim->files);
	release_profile(interim);
	return err;
}

static void *write_all(void *arg)
{
	struct interim_batch *batch = arg;

	/* The thread that drains the ring takes precedence over everybody; this one has time. */
	setpriority(PRIO_PROCESS, 0, 0);
	for (struct interim *interim = batch->interims; interim; interim = interim->next) {
		int err = write_one(batch, interim);

		batch->err = batch->err ? batch->err : err;
	}
	atomic_store(&batch->done, true);
	return NULL;
}

int interim_batch_start(struct interim_batch *batch)
{
	int err = pthread_create(&batch->thread, NULL, write_all, batch);

	batch->started = !err;
	return -err;
}

bool interim_batch_is_done(const struct interim_batch *batch)
{
	return atomic_load(&batch->done);
}

int interim_batch_finish(struct interim_batch *batch, struct interim **interims)
{
	struct interim **last = &batch->interims;
	int err;

	if (batch->started)
		pthread_join(batch->thread, NULL);
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
		writer_files_free(interim->files);
		free(interim);
	}
}
