/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_SNAPSHOT_BATCH_H
#define RECORD_SNAPSHOT_BATCH_H
/*
 * Profiles written while recording goes on. Names can take seconds to find, and the thread that drains the ring does not
 * have them: it takes the snapshots, and a thread of their own names and writes them, one batch at a time.
 */
#include "profile/profile.h"
#include "system/root_fs.h"

/* A profile of one image, and the files made of it. */
struct interim {
	u32 process; /* its number */
	char **files;
	struct interim *next;
	/* until it is written */
	struct profile *profile;
	struct root_fs root; /* the image's own may be closed meanwhile */
};

struct snapshot_batch;
struct symbolizer;

/* What else the thread does: first, with each profile once it is written, and last. 0 or negative errno. */
struct snapshot_batch_hook {
	int (*first)(void *arg);
	int (*each)(void *arg, const struct profile *profile);
	int (*last)(void *arg, unsigned int seq);
	void *arg;
};

/*
 * Profiles to be written under number `seq` into directory `dir` in `formats`. While its thread runs, `symbolizer` is that
 * thread's alone; it keeps the names, and not the debug information they are from. `hook` may be NULL. NULL: no memory.
 */
struct snapshot_batch *snapshot_batch_new(int dir, unsigned int formats, unsigned int seq,
					  struct symbolizer *symbolizer, const struct snapshot_batch_hook *hook);

/* Before the start: add an image's snapshot, which belongs to the batch from now on, also on error. 0 or -ENOMEM. */
int snapshot_batch_add(struct snapshot_batch *batch, u32 process, struct profile *profile);

/* Start the thread. 0 or negative errno. */
int snapshot_batch_start(struct snapshot_batch *batch);

/* Has everything been written, or tried? */
bool snapshot_batch_is_done(const struct snapshot_batch *batch);

/*
 * Wait for the thread, if it was started, and put what was written in front of *interims. Ends the batch. 0 or the
 * negative errno of what could not be written.
 */
int snapshot_batch_finish(struct snapshot_batch *batch, struct interim **interims);

void interims_free(struct interim *interims);

#endif
