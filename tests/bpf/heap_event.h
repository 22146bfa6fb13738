/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* One address in the live map, and the events about its objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "bpf/heap.bpf.h"

#define PROCESS 7
#define TID	4321
#define ADDR	0x5000

#include "told.h"

static inline int setup(void **state)
{
	(void)state;
	stub_reset(1 << 20);
	stub.pid_tgid = (u64)99 << 32 | TID;
	stub.now_ns = 1000;
	config = (struct config){.sample_bytes = 1, .ring_half = 1 << 19, .tally_mask = SCOPES_MIN - 1};
	return 0;
}

/* The live map's word at ADDR, 0 when there is none. */
static inline u64 word_at_addr(void)
{
	struct live_key key = live_key(PROCESS, ADDR);
	u64 *word = bpf_map_lookup_elem(&live, &key);

	return word ? *word : 0;
}

static inline const struct event *next_event(enum event_kind kind, size_t size)
{
	size_t got = 0;
	const struct event *event = stub_ring_next(&got);

	assert_non_null(event);
	assert_int_equal(event->kind, kind);
	assert_int_equal(got, size);
	assert_int_equal(event->process, PROCESS);
	assert_true(event->time_ns > 1000);
	return event;
}

/* A birth of `size` bytes at ADDR whose event is taken from the ring; the object's id. */
static inline u64 born(u64 size)
{
	struct stash stash = {.size = size, .process = PROCESS, .sampled = 1};
	const struct event_alloc *event;

	heap_begin(&stash, ADDR, 0xabc);
	event = (const struct event_alloc *)next_event(EVENT_ALLOC, sizeof(*event));
	assert_int_equal(event->size, size);
	return event->object;
}

static inline void fill_ring(void)
{
	while (stub_ring_reserve(8))
		stub_ring_finish(stub.last->data, STUB_DISCARDED, BPF_RB_NO_WAKEUP);
}

static inline void assert_object_event(enum event_kind kind, u64 object)
{
	assert_int_equal(((const struct event_object *)next_event(kind, sizeof(struct event_object)))->object, object);
}

static inline u64 end_free(u8 *ret_flagged)
{
	return heap_end(PROCESS, ADDR, EVENT_FREE, LIVE_DEAD, ret_flagged);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)
