/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The live map's protocol. Exact by order: an object enters at its allocation's return, before any other thread
 * knows the address, and leaves at free's entry, before the address can be handed out again; the ring keeps that order.
 * A death that finds no space in the ring stays in the map as a flag and is reported later, so no death is lost.
 */
#include "emit.bpf.h"

static __always_inline u64 live_word(u64 object, enum live_state state)
{
	return object << LIVE_STATE_BITS | state;
}

static __always_inline struct live_key live_key(u32 process, u64 addr)
{
	return (struct live_key){.addr = addr, .process = process};
}

/*
 * The object at `addr` dies. Returns its id, 0 when none is known there. When the ring is full it is flagged
 * `state_if_lost` instead of deleted and *ret_flagged is set.
 */
static __always_inline u64 heap_end(u32 process, u64 addr, enum event_kind kind, enum live_state state_if_lost,
				    u8 *ret_flagged)
{
	struct live_key key = live_key(process, addr);
	u64 *word = bpf_map_lookup_elem(&live, &key);
	u64 was, object;

	if (!word)
		return 0;
	was = *word;
	if ((was & LIVE_STATE_MASK) != LIVE_ALIVE)
		return 0;
	object = was >> LIVE_STATE_BITS;
	if (kind == EVENT_MOVED ? emit_moved(kind, process, object) : emit_object(kind, process, object)) {
		bpf_map_delete_elem(&live, &key);
		return object;
	}
	count(process, COUNTER_FREE_DEFERRED);
	__sync_val_compare_and_swap(word, was, live_word(object, state_if_lost));
	*ret_flagged = 1;
	return object;
}

/* A new object is about to enter at a key that is taken. True: the old one's death is reported, the key may be overwritten.
 */
static __always_inline bool heap_evict(u32 process, u64 *word)
{
	u64 was = *word, object = was >> LIVE_STATE_BITS;
	bool alive = (was & LIVE_STATE_MASK) == LIVE_ALIVE;

	if (alive)
		count(process, COUNTER_FREE_UNSEEN);
	if (emit_object(alive ? EVENT_OVERWRITE : EVENT_FREE, process, object))
		return true;
	__sync_val_compare_and_swap(word, was, live_word(object, LIVE_DEAD));
	return false;
}

/* realloc failed: the old object of stash lives on. */
static __always_inline void heap_revive(const struct stash *stash)
{
	struct live_key key = live_key(stash->process, stash->addr);
	u64 word = live_word(stash->old, LIVE_ALIVE);
	u64 *flagged;

	if (stash->old_flagged) {
		flagged = bpf_map_lookup_elem(&live, &key);
		if (flagged)
			__sync_val_compare_and_swap(flagged, live_word(stash->old, LIVE_MOVING), word);
		return;
	}
	if (bpf_map_update_elem(&live, &key, &word, BPF_NOEXIST)) {
		count(stash->process, COUNTER_REVIVE_LOST);
		return;
	}
	if (!emit_moved(EVENT_REVIVED, stash->process, stash->old)) {
		bpf_map_delete_elem(&live, &key);
		count(stash->process, COUNTER_REVIVE_LOST);
	}
}

/* realloc succeeded: an old object whose event was lost is now as dead as any. */
static __always_inline void heap_bury(const struct stash *stash)
{
	struct live_key key = live_key(stash->process, stash->addr);
	u64 *flagged;

	if (!stash->old_flagged)
		return;
	flagged = bpf_map_lookup_elem(&live, &key);
	if (flagged)
		__sync_val_compare_and_swap(flagged, live_word(stash->old, LIVE_MOVING),
					    live_word(stash->old, LIVE_DEAD));
}

/* The old block of a realloc is dead, or alive again. Where nothing is reallocated it is not used. */
static __noinline __attribute__((unused)) void heap_settle(const struct stash *stash, bool moved)
{
	if (moved)
		heap_bury(stash);
	else
		heap_revive(stash);
}

/*
 * A sampled object is born at `addr` (0: not known, so it cannot be followed) with the stack of that hash (0: given up).
 * The ring slot is reserved before the key is inserted: an object is reported as followed, reported as not followed, or
 * not reported.
 */
static __always_inline void heap_begin(const struct stash *stash, u64 addr, u64 stack)
{
	struct live_key key = live_key(stash->process, addr);
	struct event_alloc *event = NULL;
	u64 object, word, *taken;
	u16 flags = 0;

	if (ring_share(stash->process, sizeof(*event)))
		event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event) {
		count(stash->process, COUNTER_LOST_RING);
		return;
	}
	object = __sync_fetch_and_add(&next_object, 1) + 1;
	if (config.alloc_only || frees_ended || !addr) {
		flags |= EVENT_UNFOLLOWED;
	} else if (stash->entered == STASH_UNTABLED) {
		flags |= EVENT_REFUSED;
		count(stash->process, COUNTER_REFUSED);
	} else {
		taken = bpf_map_lookup_elem(&live, &key);
		if (taken && !heap_evict(stash->process, taken)) {
			bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
			count(stash->process, COUNTER_LOST_RING);
			return;
		}
		word = live_word(object, LIVE_ALIVE);
		if (bpf_map_update_elem(&live, &key, &word, BPF_ANY)) {
			flags |= EVENT_REFUSED;
			count(stash->process, COUNTER_REFUSED);
		}
	}
	emit_header(&event->header, EVENT_ALLOC, stash->process, flags);
	event->object = object;
	event->addr = addr;
	event->size = stash->size;
	event->stack = stack;
	bpf_ringbuf_submit(event, emit_flags());
}
