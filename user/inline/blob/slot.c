/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/blob/slot.h"

#include "inline/blob/fork_wipe.h"
#include "inline/blob/gap.h"
#include "inline/blob/image.h"
#include "inline/blob/seed.h"

struct sampler_slot *slot_own(void)
{
	u32 thread;

	__asm__("mov %%fs:0, %0" : "=r"(thread));
	return &sampler_slots[thread * SAMPLER_HASH >> (32 - SAMPLER_SLOT_BITS)];
}

static s64 gap_drawn(u64 random)
{
	u64 mean = __atomic_load_n(&sampler_config.sample_bytes, __ATOMIC_RELAXED);

	return mean ? gap_of(random, mean) : GAP_MAX;
}

/*
 * Before the first seed is there for a child to inherit. Where the kernel refuses, children take some samples where their brothers
 * do. Two threads may both ask, and a slot may be dropped later: one that is zero begins anew.
 */
static void wipe_slots_at_fork(void)
{
	if (__atomic_load_n(&sampler_state.prepared, __ATOMIC_ACQUIRE))
		return;
	fork_wipe(sampler_slots, sizeof(sampler_slots));
	__atomic_store_n(&sampler_state.prepared, 1, __ATOMIC_RELEASE);
}

/* True if the slot had no seed. Whoever sees a seed sees a count that means something, so the count comes first. */
static bool slot_begin(struct sampler_slot *slot)
{
	u64 none = 0, seed;

	if (__atomic_load_n(&slot->seed, __ATOMIC_ACQUIRE))
		return false;
	wipe_slots_at_fork();
	seed = seed_new(slot);
	__atomic_store_n(&slot->left, gap_drawn(splitmix64(seed)), __ATOMIC_RELEASE);
	__atomic_compare_exchange_n(&slot->seed, &none, seed, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	return true;
}

static s64 slot_gap(struct sampler_slot *slot)
{
	return gap_drawn(splitmix64(__atomic_add_fetch(&slot->seed, SPLITMIX_STEP, __ATOMIC_RELAXED)));
}

static bool slot_chance(struct sampler_slot *slot, u64 size)
{
	return (u64)slot_gap(slot) < (size ? size : 1);
}

/* A count that is not negative any longer was drawn by another thread, whose sample that was. */
bool slot_crossed(struct sampler_slot *slot, u64 size)
{
	if (slot_begin(slot) || __atomic_exchange_n(&slot->left, slot_gap(slot), __ATOMIC_ACQ_REL) >= 0)
		return slot_chance(slot, size);
	return true;
}

bool slot_hit(struct sampler_slot *slot, u64 size)
{
	slot_begin(slot);
	return size <= 1ULL << 63 && slot_chance(slot, size);
}
