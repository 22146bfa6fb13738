/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RECORD_ENDED_IMAGES_H
#define RECORD_ENDED_IMAGES_H
/*
 * Images that have ended leave the recorder, and the thread that drains the ring is done with them; the thread that
 * writes (snapshot_batch.h) counts them into the aggregate and frees them, and adds what is merged to profiles written meanwhile.
 */
#include "record/aggregate.h"
#include "record/snapshot_batch.h"

#define ENDED_IMAGES_MAX 256 /* at once, so that a request for profiles need not wait long */

struct ended_images {
	struct aggregate *aggregate;
	struct image *processes; /* by ended_next */
	u32 count;
	u64 samples;			   /* of theirs */
	struct aggregate_interim *interim; /* NULL: no profiles are written */
	struct snapshot_batch_hook hook;
};

/* Take what has ended; with `all`, however many they are. The hook is for the batch that does the work. */
void ended_images_take(struct ended_images *retirement, struct aggregate *aggregate, struct recorder *recorder,
		       bool all);

/* Of a batch that writes profiles: what is merged is to be written too. 0 or -ENOMEM. */
int ended_images_with_merged(struct ended_images *retirement);

/* When the batch is done, or has not been begun. */
void ended_images_release(struct ended_images *retirement);

#endif
