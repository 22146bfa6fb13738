/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Keys and values of the two maps that hold unfinished business: live objects and calls that have not returned. */
#include "types.h"

/*
 * The live map's value is one word, id << LIVE_STATE_BITS | state, so that its state changes by compare-and-swap
 * against the id: an element that was recycled meanwhile is never touched.
 */
enum live_state {
	LIVE_ALIVE = 0,
	LIVE_DEAD = 1,	 /* freed, but the ring was full: user space reads the state and books the death */
	LIVE_MOVING = 2, /* in realloc, its event lost as above: dead or alive again when realloc returns */
};
#define LIVE_STATE_BITS 2
#define LIVE_STATE_MASK 3

struct live_key {
	u64 addr;
	u32 process;
	u32 reserved;
};

/*
 * The stack pointer at entry tells nested calls of one thread apart (a signal handler within malloc). A call of --alloc
 * belongs to its process: a coroutine may enter it in one thread and return in another.
 */
struct stash_key {
	u64 sp;
	u32 caller; /* thread, or process with STASH_OF_PROCESS */
	u32 reserved;
};
#define STASH_OF_PROCESS (1U << 31) /* more than any PID has */

struct stash {
	u64 size;
	u64 addr; /* realloc: the old block; posix_memalign: where the result goes */
	u64 old;  /* realloc: the old block's object id, 0 when it was not live */
	u64 site; /* with --show-allocator: where the probe is, plus one; else 0 */
	u32 process;
	u8 kind;
	u8 sampled;
	u8 old_flagged; /* the old block is still in the live map as LIVE_MOVING */
	u8 entered;	/* enum stash_entered */
};

enum stash_entered {
	STASH_RETURNS = 0, /* counted when the call returns */
	STASH_ENTERED = 1, /* the call gets no return leg: the object is counted with the registers of the entry */
	STASH_UNTABLED =
		2, /* the same, told by the sampler in the process, which has no room to tell the object's end */
};

_Static_assert(sizeof(struct live_key) == 16, "live_key");
_Static_assert(sizeof(struct stash_key) == 16, "stash_key");
_Static_assert(sizeof(struct stash) == 40, "stash");
