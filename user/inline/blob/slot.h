/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The law: an allocation of s bytes is sampled with probability 1 - exp(-s / sample_bytes), independently of all others. As
 * exponential gaps have no memory, a count may be drawn anew at any time, whatever for, and need not be exact when threads race.
 */
#include "include/sampler.h"

#pragma GCC visibility push(hidden)
/* The thread's slot. */
struct sampler_slot *slot_own(void);

/* `size` has been subtracted from the slot's count, which has become negative: is it sampled? The count is drawn anew. */
bool slot_crossed(struct sampler_slot *slot, u64 size);

/* The same decision for a size of which nothing has been subtracted, without the count. */
bool slot_hit(struct sampler_slot *slot, u64 size);
#pragma GCC visibility pop
