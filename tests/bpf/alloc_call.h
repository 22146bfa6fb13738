/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* One process that calls its allocator, and the answers it gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "bpf/alloc.bpf.c"

#include "table.h"

#define PROCESS 6
#define SCOPE	2
#define PID	3000
#define SITE	0x1009
#define BASE	0x7f0000000000
#define CALLER	0x401500

#include "told.h"

static struct pt_regs regs;

/* All there is of user memory. */
static struct {
	u64 stack[2];	 /* the return address of the call, that of the caller, which is none */
	u64 out_pointer; /* posix_memalign's */
} user;

static inline int setup(void **state)
{
	struct scope scope = {.process = PROCESS, .pid = PID};
	u32 number = SCOPE;

	(void)state;
	stub_reset(1 << 20);
	stub.memory = (uintptr_t)&user;
	stub.memory_end = (uintptr_t)(&user + 1);
	stub.pid_tgid = (u64)PID << 32 | PID;
	config = (struct config){.sample_bytes = 1, .ring_half = 1 << 19, .tally_mask = SCOPES_MIN - 1};
	table_of_plain_code(&scope, PROCESS, CALLER & ~0xffffULL);
	bpf_map_update_elem(&scopes, &number, &scope, BPF_ANY);
	return 0;
}

/* The registers at the site of a call, and its cookie. */
static inline void at_entry(enum call_kind kind, u64 one, u64 two, u64 three)
{
	user.stack[0] = CALLER;
	regs = (struct pt_regs){.di = one, .si = two, .dx = three, .ip = BASE + SITE};
	regs.sp = (u64)(uintptr_t)user.stack;
	stub.func_ip = regs.ip;
	stub.cookie = cookie_make(kind, ARG_DI, kind == CALL_POSIX_MEMALIGN ? ARG_DX : ARG_SI, SCOPE, 0, SITE);
}

/* True when the call wants its return leg. */
static inline bool call(enum call_kind kind, u64 one, u64 two, u64 three)
{
	at_entry(kind, one, two, three);
	return !alloc_session(&regs);
}

static inline void at_return(u64 value)
{
	regs.ax = value;
	regs.ip = CALLER;
	regs.sp += sizeof(u64);
}

static inline void call_returns(u64 value)
{
	at_return(value);
	assert_int_equal(alloc_session(&regs), 0);
}

static inline const void *next_event(enum event_kind kind)
{
	size_t size = 0;
	const struct event *event = stub_ring_next(&size);

	/* Whatever has a stack is preceded by it the first time. */
	if (event && event->kind == EVENT_STACK && kind != EVENT_STACK)
		event = stub_ring_next(&size);
	assert_non_null(event);
	assert_int_equal(event->kind, kind);
	assert_int_equal(event->process, PROCESS);
	return event;
}

static inline u64 assert_born(u64 addr, u64 size)
{
	const struct event_alloc *event = next_event(EVENT_ALLOC);

	assert_int_equal(event->addr, addr);
	assert_int_equal(event->size, size);
	assert_int_equal(event->header.flags, 0);
	return event->object;
}

static inline u64 born(u64 addr, u64 size)
{
	assert_true(call(CALL_MALLOC, size, 0, 0));
	call_returns(addr);
	return assert_born(addr, size);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)
