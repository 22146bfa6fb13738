/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A stack in made-up user memory, captured, and the events that are sent for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bpf_stub.h"

#include "bpf/stack.bpf.h"

#include "table.h"

#define PROCESS	   3
#define CODE	   0x400000
#define PAGE_BYTES 4096

#include "told.h"

static struct unwind_registers regs;
static struct scope scope;
static struct task_struct task;
static u64 expected[STACK_DEPTH_MAX];

/* User memory, from regs.sp on. */
static _Alignas(PAGE_BYTES) u64 memory[16 * PAGE_BYTES / sizeof(u64)];

static inline u64 frame_address(u32 frame)
{
	return CODE + 0x1000 + 16 * frame;
}

/* Make up a stack of that many frames. */
static inline void set_depth(u32 depth)
{
	memset(memory, 0, sizeof(memory));
	for (u32 i = 1; i < depth; i++)
		memory[i - 1] = frame_address(i);
	for (u32 i = 0; i < STACK_DEPTH_MAX; i++)
		expected[i] =
			frame_address(i < STACK_LEAF_MAX || depth <= STACK_DEPTH_MAX ? i : depth - STACK_DEPTH_MAX + i);
	if (depth > STACK_DEPTH_MAX)
		expected[STACK_LEAF_MAX] = STACK_LEFT_OUT;
}

static inline int setup(void **state)
{
	(void)state;
	stub_reset(1 << 20);
	config = (struct config){.sample_bytes = 1, .ring_half = 1 << 19, .tally_mask = SCOPES_MIN - 1};
	stub.task = &task;
	stub.memory = (uintptr_t)memory;
	stub.memory_end = (uintptr_t)memory + sizeof(memory);
	scope = (struct scope){.process = PROCESS};
	table_of_plain_code(&scope, PROCESS, CODE);
	regs = (struct unwind_registers){.ip = CODE + 0x1000, .sp = (uintptr_t)memory, .bp = 0x1234};
	set_depth(3);
	return 0;
}

static inline u64 capture(u32 process)
{
	scope.mappings_process = process;
	return stack_capture(&regs, &(struct stash){.process = process}, &scope);
}

/* The next event must be a stack of that many frames, as long as them and no longer. */
static inline const struct event_stack *next_stack(u32 depth)
{
	size_t size = 0;
	const struct event_stack *event = stub_ring_next(&size);

	assert_non_null(event);
	assert_int_equal(event->header.kind, EVENT_STACK);
	assert_int_equal(event->header.process, PROCESS);
	assert_int_equal(event->depth, depth);
	assert_int_equal(size, offsetof(struct event_stack, ip) + depth * sizeof(u64));
	assert_memory_equal(event->ip, expected, depth * sizeof(u64));
	return event;
}

static inline u32 claimed(void)
{
	u32 busy = 0;

	for (u32 i = 0; i < SCRATCHES_MAX; i++)
		busy += ((struct scratch *)bpf_map_lookup_elem(&scratches, &i))->busy;
	return busy;
}

#define TEST(name) cmocka_unit_test_setup(name, setup)
