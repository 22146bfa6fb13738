/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What is written while recording goes on. Names can take seconds to find, which the thread that drains the ring does
 * not have: it takes snapshots and hands over images that have ended, and a thread of the batch's own passes them to the
 * aggregate. One batch at a time, as the aggregate is that thread's alone while it runs.
 */
#include "base/thread.h"
#include "record/aggregate.h"

#define ENDED_IMAGES_MAX 256 /* in a batch of nothing else, so that a request for profiles need not wait long */

struct snapshot_batch {
	struct aggregate *aggregate; /* NULL: there is no batch */
	unsigned int seq;	     /* the number of its profiles; 0: it has only images that have ended */
	struct snapshot *snapshots;
	struct image *ended; /* by ended_next */
	u32 ended_count;
	u64 ended_samples;
	int err; /* the first */
	struct thread thread;
};

/*
 * Take the images that have ended out of the recorder (NULL: take none); in a batch without a number not more than
 * ENDED_IMAGES_MAX.
 */
void snapshot_batch_begin(struct snapshot_batch *batch, struct aggregate *aggregate, unsigned int seq,
			  struct recorder *recorder);

/* Add a living image's snapshot, which belongs to the batch from now on, also on error. 0 or -ENOMEM. */
int snapshot_batch_add(struct snapshot_batch *batch, u32 process, struct profile *profile);

/* Start the thread; it is done when everything has been written, or tried. 0 or negative errno. */
int snapshot_batch_start(struct snapshot_batch *batch);

/*
 * Wait for the thread, if it was started, and end the batch. If it was not, snapshots are dropped, and images that have
 * ended are passed to the aggregate here. 0 or the negative errno of what could not be written.
 */
int snapshot_batch_finish(struct snapshot_batch *batch);
