/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A walk over made-up stacks, through a table that has a page for every kind of rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bpf_stub.h"

#include "bpf/unwind.bpf.h"

#include "table.h"

#define CODE	    0x400000
#define OTHER_CODE  0x7f0000000000
#define JIT	    0x500000
#define CODE_BYTES  0x30000
#define PAGE_BYTES  4096
#define TABLE	    100
#define OTHER_TABLE 1000

/* Rule numbers are arbitrary, but for the order in which a file has them: one every 0x100 bytes from offset 0x1000 on.
 */
enum rule {
	RULE_NONE = 10,
	RULE_SP,       /* cfa = sp + 24 */
	RULE_SP_BP,    /* the same, bp saved */
	RULE_BP,       /* cfa = bp + 16, bp saved */
	RULE_PLT,      /* from 11 on one word more */
	RULE_DEREF,    /* realigned */
	RULE_SP_DEREF, /* base on the stack */
	RULE_BX,
	RULE_SAVES_BX, /* at cfa - 16 */
	RULE_SAVES_BX_AT_BP,
	RULE_SIGNALED, /* base in r10 */
	RULE_SIGNAL,
	RULE_SWITCHES, /* base on the stack, to another one */
	RULE_SWITCHES_TWICE,
	RULE_CUT,
	RULE_END,
	RULE_MAX,
};

static const struct unwind_rule rules[RULE_MAX] = {
	[RULE_SP] = {.cfa = CFA_SP, .offset = 24},
	[RULE_SP_BP] = {.cfa = CFA_SP, .offset = 24, .bp = SAVED_AT_CFA, .bp_offset = -16},
	[RULE_BP] = {.cfa = CFA_BP, .offset = 16, .bp = SAVED_AT_CFA, .bp_offset = -16},
	[RULE_PLT] = {.cfa = CFA_PLT, .offset = 11},
	[RULE_DEREF] = {.cfa = CFA_BP_DEREF, .at = -8, .bp = SAVED_AT_BP, .offset = -8},
	[RULE_SP_DEREF] = {.cfa = CFA_SP_DEREF, .at = 40, .offset = 8},
	[RULE_BX] = {.cfa = CFA_BX, .offset = 16},
	[RULE_SAVES_BX] = {.cfa = CFA_SP, .offset = 24, .bx = SAVED_AT_CFA, .bx_offset = -16},
	[RULE_SAVES_BX_AT_BP] = {.cfa = CFA_SP, .offset = 24, .bx = SAVED_AT_BP, .bx_offset = -48},
	[RULE_SIGNALED] = {.cfa = CFA_SIGNALED, .at = UNWIND_SIGNAL_REGISTER(2), .offset = 16},
	[RULE_SIGNAL] = {.cfa = CFA_SIGNAL},
	[RULE_SWITCHES] = {.cfa = CFA_SP_DEREF, .at = 16, .offset = 8, .switches = 1},
	[RULE_SWITCHES_TWICE] = {.cfa = CFA_SP_DEREF_TWICE, .at = 24, .offset = 8, .switches = 1},
	[RULE_CUT] = {.cfa = CFA_CUT},
	[RULE_END] = {.cfa = CFA_END},
};

/* A return address into code of that rule. */
static inline u64 in(enum rule rule)
{
	return CODE + 0x1000 + 0x100 * (u64)(rule - RULE_NONE) + 0x50;
}

static struct scratch scratch;
static struct task_struct task;
static struct unwind_registers regs;
static _Alignas(PAGE_BYTES) u64 memory[16 * PAGE_BYTES / sizeof(u64)];

/* Most stacks begin here: early in memory, not at a page's border. */
#define START 64
static inline u64 at(u32 word)
{
	return (uintptr_t)&memory[START + word];
}

static inline void put(u32 word, u64 value)
{
	memory[START + word] = value;
}

static inline int setup(void **state)
{
	struct table_row rows[1 + RULE_MAX - RULE_NONE] = {{.offset = 0, .rule = RULE_NONE}};

	(void)state;
	stub_reset(1 << 20);
	memset(memory, 0, sizeof(memory));
	memset(&scratch, 0xa5, sizeof(scratch));
	stub.memory = (uintptr_t)memory;
	stub.memory_end = (uintptr_t)memory + sizeof(memory);
	task = (struct task_struct){.pid = 1};
	stub.task = &task;
	for (u32 i = RULE_NONE; i < RULE_MAX; i++) {
		table_rule(i, rules[i]);
		rows[1 + i - RULE_NONE] = (struct table_row){.offset = 0x1000 + 0x100 * (i - RULE_NONE), .rule = i};
	}
	table_write(TABLE, CODE_BYTES >> UNWIND_PAGE_SHIFT, rows, sizeof(rows) / sizeof(rows[0]));
	table_map(0, (struct unwind_mapping){.start = CODE, .end = CODE + CODE_BYTES, .table = TABLE});
	table_map(1, (struct unwind_mapping){.start = JIT, .end = JIT + 0x1000, .flags = UNWIND_MAPPING_NO_TABLE});
	regs = (struct unwind_registers){.sp = at(0)};
	return 0;
}

static inline void walk_from(u64 ip)
{
	regs.ip = ip;
	unwind(&regs, 2, 0, false, &scratch);
}

static inline void assert_walk(enum unwind_end end, u32 depth)
{
	assert_int_equal(scratch.walk.end, end);
	assert_int_equal(scratch.walk.depth, depth);
}

/* One step by that rule leads to those registers. */
static inline void assert_step(u64 ip, u64 caller_ip, u64 sp, u64 bp)
{
	walk_from(ip);
	assert_walk(UNWIND_COMPLETE, 2);
	assert_int_equal(scratch.stack.ip[0], ip);
	assert_int_equal(scratch.stack.ip[1], caller_ip);
	assert_int_equal(scratch.walk.registers.sp, sp);
	assert_int_equal(scratch.walk.registers.bp, bp);
}

static inline void put_signal_frame(u32 word, u64 ip, u64 sp, u64 bp)
{
	put(word + UNWIND_SIGNAL_IP / 8, ip);
	put(word + UNWIND_SIGNAL_SP / 8, sp);
	put(word + UNWIND_SIGNAL_BP / 8, bp);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)
