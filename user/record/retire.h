/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef RETIRE_H
#define RETIRE_H
/*
 * Images that have ended leave the recorder, and the thread that drains the ring is done with them; the thread that
 * writes (interim.h) counts them into the census and frees them, and adds what is merged to profiles written meanwhile.
 */
#include "record/census.h"
#include "record/interim.h"

#define RETIRE_MAX 256 /* at once, so that a request for profiles need not wait long */

struct retirement {
	struct census *census;
	struct image *processes; /* by ended_next */
	u32 count;
	u64 samples;			/* of theirs */
	struct census_interim *interim; /* NULL: no profiles are written */
	struct interim_hook hook;
};

/* Take what has ended; with `all`, however many they are. The hook is for the batch that does the work. */
void retire_take(struct retirement *retirement, struct census *census, struct recorder *recorder, bool all);

/* Of a batch that writes profiles: what is merged is to be written too. 0 or -ENOMEM. */
int retire_with_merged(struct retirement *retirement);

/* When the batch is done, or has not been begun. */
void retire_release(struct retirement *retirement);

#endif
