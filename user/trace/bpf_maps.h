/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The rows of the maps that the programs fill: counters, live objects, calls under way, stacks. */
#include "include/counter.h"

struct kernel;

/* Traps of an image so far; 0 also without memory. */
struct hits {
	u64 alloc, free;
	u64 born; /* at the probe in Go's runtime by which births pass */
};
struct hits kernel_read_hits(const struct kernel *kernel, u32 process);
u64 kernel_count_hits(const struct kernel *kernel, u32 process); /* of allocating and freeing functions */

/*
 * Add the kernel's counters of an image to ledger[], and start its row afresh. Only once the image is no longer traced:
 * what is counted between reading and clearing would be lost. 0 or negative errno.
 */
int kernel_take_tally(struct kernel *kernel, u32 process, u64 ledger[COUNTER_MAX]);

/*
 * Add the kernel's counters of an image, so far, to ledger[], and leave them. What is sampled is read last, so that no
 * call's end is in without its begin. 0 or -ENOMEM.
 */
int kernel_peek_tally(const struct kernel *kernel, u32 process, u64 ledger[COUNTER_MAX]);

/* Every object of the live map that died without an event having been sent. 0 or negative errno. */
int kernel_for_each_unsent(struct kernel *kernel, void (*each)(void *arg, u32 process, u64 object), void *arg);

/* The sampled calls of an ended image that have not returned, nor will: how many there were. */
u64 kernel_take_pending(struct kernel *kernel, u32 process);

/* Every sampled call that has not returned. 0 or negative errno. */
int kernel_for_each_pending(struct kernel *kernel, void (*each)(void *arg, u32 process), void *arg);

/* The same while no probe is in, and forget these calls: their returns are not seen. */
int kernel_drop_pending(struct kernel *kernel, void (*each)(void *arg, u32 process), void *arg);

/* Drop what an ended image left in the maps; what is not there is passed over. */
void kernel_forget_object(struct kernel *kernel, u32 process, u64 addr);
void kernel_forget_stacks(struct kernel *kernel, const u64 *hashes, u32 count);
