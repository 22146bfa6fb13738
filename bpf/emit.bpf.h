/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Counting and sending. A function that could not send returns false, and its caller counts the loss by its cause. */
#include "map.bpf.h"

/* Atomic although per CPU: a uprobe program can be preempted between load and store. */
static __always_inline void count(u32 process, enum counter counter)
{
	u32 row = process & config.tally_mask;
	struct tally *tally = bpf_map_lookup_elem(&tallies, &row);

	if (tally)
		__sync_fetch_and_add(&tally->count[counter], 1);
}

/* What was counted turns out not to be. One CPU's number may wrap, their sum does not. */
static __always_inline void count_back(u32 process, enum counter counter)
{
	u32 row = process & config.tally_mask;
	struct tally *tally = bpf_map_lookup_elem(&tallies, &row);

	if (tally)
		__sync_fetch_and_add(&tally->count[counter], -1);
}

/*
 * Waking the reader costs fifty times the event, so events do not: the reader drains on a timer. Only the event that fills the
 * ring half wakes it early (and those after it, until it has come).
 */
static __always_inline u64 emit_flags(void)
{
	if (bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < config.ring_half)
		return BPF_RB_NO_WAKEUP;
	return BPF_RB_FORCE_WAKEUP;
}

#define RING_SHARE 3

/*
 * May the process put `size` more bytes into the ring? Several processes share it, and each may have RING_SHARE times
 * what is free: however many of them flood it at once, a part stays free for the others (dynamic thresholds, Choudhury
 * and Hahne 1998). What has been drained does not count. Below half of the ring there is no limit.
 */
static __always_inline bool ring_share(u32 process, u64 size)
{
	u32 row = process & config.tally_mask;
	struct ring_use *use;
	u64 used;

	if (!config.fair)
		return true;
	use = bpf_map_lookup_elem(&ring_uses, &row);
	if (!use)
		return true;
	used = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
	if (use->drains != ring_drains) {
		use->drains = ring_drains;
		use->bytes = 0;
	}
	if (used >= config.ring_half && use->bytes + size > RING_SHARE * (config.ring_bytes - used))
		return false;
	__sync_fetch_and_add(&use->bytes, size);
	return true;
}

static __always_inline void emit_header(struct event *event, enum event_kind kind, u32 process, u16 flags)
{
	event->kind = kind;
	event->flags = flags;
	event->process = process;
	event->time_ns = bpf_ktime_get_ns();
}

static __always_inline bool emit_object(enum event_kind kind, u32 process, u64 object)
{
	struct event_object *event;

	if (!ring_share(process, sizeof(*event)))
		return false;
	event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event)
		return false;
	emit_header(&event->header, kind, process, 0);
	event->object = object;
	bpf_ringbuf_submit(event, emit_flags());
	return true;
}

static __always_inline bool emit_moved(enum event_kind kind, u32 process, u64 object)
{
	struct event_moved *event;

	if (!ring_share(process, sizeof(*event)))
		return false;
	event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event)
		return false;
	emit_header(&event->header, kind, process, 0);
	event->object = object;
	event->tid = (u32)bpf_get_current_pid_tgid();
	event->reserved = 0;
	bpf_ringbuf_submit(event, emit_flags());
	return true;
}
