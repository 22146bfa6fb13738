/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A recorder, and events as the kernel sends them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "profile/ledger.h"
#include "system/address_map.h"
#include "heap/apply_event.h"

#define PID 500

static struct recorder *recorder;

static inline int setup(void **state)
{
	struct recorder_options options = {.sample_bytes = 1};

	(void)state;
	recorder = recorder_new(&options);
	return recorder ? 0 : -1;
}

static inline int teardown(void **state)
{
	(void)state;
	recorder_free(recorder);
	return 0;
}

static inline struct image *begin(u32 number, u32 pid)
{
	struct image *image = NULL;

	assert_int_equal(recorder_begin(recorder, number, pid, 3, 10 * number, &image), 0);
	assert_non_null(image);
	return image;
}

static inline int send_alloc(u32 number, u64 object, u64 size, u64 stack, u16 flags)
{
	struct event_alloc event = {
		.header = {.kind = EVENT_ALLOC, .flags = flags, .process = number, .time_ns = 100},
		.object = object,
		.addr = 0x5000 + 16 * object,
		.size = size,
		.stack = stack,
	};

	return apply_event(recorder, &event.header, sizeof(event));
}

static inline int send_object(u16 kind, u32 number, u64 object)
{
	struct event_object event = {.header = {.kind = kind, .process = number}, .object = object};

	return apply_event(recorder, &event.header, sizeof(event));
}

static inline int send_moved(u16 kind, u32 number, u64 object, u32 tid)
{
	struct event_moved event = {.header = {.kind = kind, .process = number}, .object = object, .tid = tid};

	return apply_event(recorder, &event.header, sizeof(event));
}

static inline int send_stack(u32 number, u64 hash, u32 depth, size_t size)
{
	static struct event_stack event;

	event = (struct event_stack){
		.header = {.kind = EVENT_STACK, .process = number, .time_ns = 50}, .stack = hash, .depth = depth};
	for (u32 i = 0; i < STACK_DEPTH_MAX; i++)
		event.ip[i] = 0x400000 + i;
	return apply_event(recorder, &event.header, size);
}

static inline size_t stack_size(u32 depth)
{
	return offsetof(struct event_stack, ip) + depth * sizeof(u64);
}

static inline int send_process(u16 kind, u32 number, u32 next, u64 time_ns, const char *comm)
{
	struct event_process event = {
		.header = {.kind = kind, .process = number, .time_ns = time_ns},
		.pid = PID,
		.tid = PID,
		.next = next,
		.scope = 3,
		.cpu_ns = 1000 * time_ns,
		.max_rss_bytes = kind == EVENT_EXIT ? 4096 : 0,
		.wait_status = kind == EVENT_EXIT ? 3 << 8 : 0,
	};

	memcpy(event.comm, comm, strnlen(comm, sizeof(event.comm)));
	return apply_event(recorder, &event.header, sizeof(event));
}
