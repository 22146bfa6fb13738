/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unwind.bpf.h: every rule, the searches at their borders, and how a walk ends, over made-up stacks and tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "../../bpf/unwind.bpf.h"

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
	RULE_SP,    /* cfa = sp + 24 */
	RULE_SP_BP, /* the same, bp saved */
	RULE_BP,    /* cfa = bp + 16, bp saved */
	RULE_PLT,   /* from 11 on one word more */
	RULE_DEREF, /* realigned */
	RULE_SIGNAL,
	RULE_END,
	RULE_MAX,
};

static const struct unwind_rule rules[RULE_MAX] = {
	[RULE_SP] = {.cfa = CFA_SP, .offset = 24},
	[RULE_SP_BP] = {.cfa = CFA_SP, .offset = 24, .bp = BP_SAVED, .bp_offset = -16},
	[RULE_BP] = {.cfa = CFA_BP, .offset = 16, .bp = BP_SAVED, .bp_offset = -16},
	[RULE_PLT] = {.cfa = CFA_PLT, .offset = 11},
	[RULE_DEREF] = {.cfa = CFA_BP_DEREF, .bp_offset = -8, .offset = -8},
	[RULE_SIGNAL] = {.cfa = CFA_SIGNAL},
	[RULE_END] = {.cfa = CFA_END},
};

/* A return address into code of that rule. */
static u64 in(enum rule rule)
{
	return CODE + 0x1000 + 0x100 * (u64)(rule - RULE_NONE) + 0x50;
}

static struct scratch scratch;
static struct task_struct task;
static struct pt_regs regs;
static _Alignas(PAGE_BYTES) u64 memory[16 * PAGE_BYTES / sizeof(u64)];

/* Most stacks begin here: early in memory, not at a page's border. */
#define START 64
static u64 at(u32 word)
{
	return (uintptr_t)&memory[START + word];
}

static void put(u32 word, u64 value)
{
	memory[START + word] = value;
}

static int setup(void **state)
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
	regs = (struct pt_regs){.sp = at(0)};
	return 0;
}

static void walk_from(u64 ip)
{
	regs.ip = ip;
	unwind(&regs, 2, &scratch);
}

static void assert_walk(enum unwind_end end, u32 depth)
{
	assert_int_equal(scratch.walk.end, end);
	assert_int_equal(scratch.walk.depth, depth);
}

/* One step by that rule leads to those registers. */
static void assert_step(u64 ip, u64 caller_ip, u64 sp, u64 bp)
{
	walk_from(ip);
	assert_walk(UNWIND_COMPLETE, 2);
	assert_int_equal(scratch.stack.ip[0], ip);
	assert_int_equal(scratch.stack.ip[1], caller_ip);
	assert_int_equal(scratch.walk.registers.sp, sp);
	assert_int_equal(scratch.walk.registers.bp, bp);
}

/* --- rules
 * ------------------------------------------------------------------------------------------------------------ */

static void test_unwind_root_is_a_complete_stack(void **state)
{
	(void)state;
	walk_from(in(RULE_END));
	assert_walk(UNWIND_COMPLETE, 1);
	assert_int_equal(scratch.stack.ip[0], in(RULE_END));
}

static void test_unwind_by_sp_keeps_bp(void **state)
{
	(void)state;
	put(2, in(RULE_END));
	regs.bp = 77;
	assert_step(in(RULE_SP), in(RULE_END), at(3), 77);
}

static void test_unwind_by_sp_restores_saved_bp(void **state)
{
	(void)state;
	put(1, 99);
	put(2, in(RULE_END));
	assert_step(in(RULE_SP_BP), in(RULE_END), at(3), 99);
}

static void test_unwind_by_bp_restores_saved_bp(void **state)
{
	(void)state;
	regs.bp = at(10);
	put(10, 99);
	put(11, in(RULE_END));
	assert_step(in(RULE_BP), in(RULE_END), at(12), 99);
}

static void test_unwind_lazy_plt_entry_before_and_after_its_push(void **state)
{
	u64 entry = in(RULE_PLT) & ~15ULL;

	(void)state;
	put(0, in(RULE_END));
	assert_step(entry + 10, in(RULE_END), at(1), 0);
	put(0, 3);
	put(1, in(RULE_END));
	assert_step(entry + 11, in(RULE_END), at(2), 0);
}

static void test_unwind_realigned_stack(void **state)
{
	(void)state;
	regs.bp = at(20);
	put(19, at(30)); /* the caller's stack pointer, plus 8 */
	put(20, 99);	 /* its bp */
	put(28, in(RULE_END));
	assert_step(in(RULE_DEREF), in(RULE_END), at(29), 99);
}

static void test_unwind_zero_return_address_is_the_root(void **state)
{
	(void)state;
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, 1);
}

/* --- return addresses and exact ones
 * ------------------------------------------------------------------------------------------------------------ */

static void test_unwind_call_as_last_instruction_goes_by_the_code_before_it(void **state)
{
	(void)state;
	put(2, in(RULE_END));
	/* The function ends with a call that does not return: what follows belongs to another. */
	walk_from(in(RULE_SP_BP)-0x50);
	assert_walk(UNWIND_COMPLETE, 2);
	assert_int_equal(scratch.walk.registers.bp, regs.bp);
}

static void put_signal_frame(u32 word, u64 ip, u64 sp, u64 bp)
{
	put(word + UNWIND_SIGNAL_IP / 8, ip);
	put(word + UNWIND_SIGNAL_SP / 8, sp);
	put(word + UNWIND_SIGNAL_BP / 8, bp);
}

static void test_unwind_interrupted_code_goes_by_its_own_address_recorded_one_higher(void **state)
{
	(void)state;
	put(2, in(RULE_SIGNAL));
	put_signal_frame(3, in(RULE_SP_BP)-0x50, at(100), 88);
	put(101, 99);
	put(102, in(RULE_END));
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, 4);
	assert_int_equal(scratch.stack.ip[1], in(RULE_SIGNAL));
	assert_int_equal(scratch.stack.ip[2], in(RULE_SP_BP)-0x50 + 1);
	assert_int_equal(scratch.stack.ip[3], in(RULE_END));
	assert_int_equal(scratch.walk.registers.bp, 99);
}

static void test_unwind_signal_stack_elsewhere_goes_on_below(void **state)
{
	(void)state;
	regs.sp = at(5000);
	memory[START + 5002] = in(RULE_SIGNAL);
	put_signal_frame(5003, in(RULE_SP), at(0), 0);
	put(2, in(RULE_END));
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, 4);
}

static void test_unwind_signal_frame_unreadable_ends_there(void **state)
{
	(void)state;
	regs.sp = stub.memory_end - 64;
	walk_from(in(RULE_SIGNAL));
	assert_walk(UNWIND_UNREADABLE, 1);
}

/* --- other ends
 * ------------------------------------------------------------------------------------------------------------ */

static void test_unwind_code_without_rule_ends_there(void **state)
{
	(void)state;
	put(2, in(RULE_NONE));
	regs.bp = 1;
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_NO_RULE, 2);
	/* The ABI's mark of the outermost frame. */
	regs.bp = 0;
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, 2);
}

static void test_unwind_beyond_the_table_has_no_rule(void **state)
{
	(void)state;
	table_map(0, (struct unwind_mapping){
			     .start = CODE, .end = CODE + CODE_BYTES, .file_offset = CODE_BYTES, .table = TABLE});
	walk_from(in(RULE_END));
	assert_walk(UNWIND_NO_RULE, 1);
	table_map(0, (struct unwind_mapping){
			     .start = CODE, .end = CODE + CODE_BYTES, .file_offset = 1ULL << 48, .table = TABLE});
	walk_from(in(RULE_END));
	assert_walk(UNWIND_NO_RULE, 1);
}

static void test_unwind_stack_unreadable_ends_there(void **state)
{
	(void)state;
	regs.sp = 0x1000;
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_UNREADABLE, 1);
	regs.sp = stub.memory_end - 16;
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_UNREADABLE, 1);
}

static void test_unwind_stack_that_does_not_shrink_is_corrupt(void **state)
{
	(void)state;
	regs.bp = at(0) - 16;
	walk_from(in(RULE_BP));
	assert_walk(UNWIND_STUCK, 1);
}

static void test_unwind_deepest_stack_and_one_deeper(void **state)
{
	(void)state;
	for (u32 i = 0; i < STACK_DEPTH_MAX - 2; i++)
		put(2 + 3 * i, in(RULE_SP) + i % 100);
	put(2 + 3 * (STACK_DEPTH_MAX - 2), in(RULE_END));
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, STACK_DEPTH_MAX);
	assert_int_equal(scratch.stack.ip[STACK_DEPTH_MAX - 1], in(RULE_END));
	put(2 + 3 * (STACK_DEPTH_MAX - 2), in(RULE_SP));
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, STACK_DEPTH_MAX);
	put(2 + 3 * (STACK_DEPTH_MAX - 1), in(RULE_END));
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_TRUNCATED, STACK_DEPTH_MAX);
}

static void test_unwind_table_not_ready_says_so(void **state)
{
	(void)state;
	table_map(0, (struct unwind_mapping){.start = CODE, .end = CODE + CODE_BYTES});
	walk_from(in(RULE_END));
	assert_walk(UNWIND_NO_TABLE, 1);
}

static void test_unwind_mappings_not_known_says_so(void **state)
{
	(void)state;
	regs.ip = in(RULE_END);
	unwind(&regs, 0, &scratch);
	assert_walk(UNWIND_NO_TABLE, 1);
}

static void test_unwind_unmapped_code_is_for_user_space_to_look_at(void **state)
{
	(void)state;
	put(2, OTHER_CODE);
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_NO_TABLE, 2);
}

/* --- frame pointers, return probes
 * ------------------------------------------------------------------------------------------------------------ */

static void test_unwind_jit_code_goes_by_frame_pointer(void **state)
{
	(void)state;
	regs.bp = at(10);
	put(10, 99);
	put(11, in(RULE_END));
	assert_step(JIT + 0x100, in(RULE_END), at(12), 99);
	assert_int_equal(scratch.walk.frame_pointer, 1);
	walk_from(in(RULE_END));
	assert_int_equal(scratch.walk.frame_pointer, 0);
}

static void test_unwind_frame_pointer_below_the_stack_is_not_trusted(void **state)
{
	(void)state;
	regs.bp = at(0) - 8;
	walk_from(JIT + 0x100);
	assert_walk(UNWIND_NO_MAPPING, 1);
	assert_int_equal(scratch.walk.frame_pointer, 0);
}

static void test_unwind_frame_pointer_to_no_code_ends_the_stack(void **state)
{
	(void)state;
	regs.bp = at(10);
	put(11, OTHER_CODE);
	walk_from(JIT + 0x100);
	assert_walk(UNWIND_NO_MAPPING, 2);
}

static void test_unwind_frame_pointer_unreadable_ends_the_stack(void **state)
{
	(void)state;
	regs.bp = stub.memory_end;
	walk_from(JIT + 0x100);
	assert_walk(UNWIND_UNREADABLE, 1);
}

static void test_unwind_waiting_return_probe_is_seen_through(void **state)
{
	struct return_instance outer = {.stack = at(5), .orig_ret_vaddr = in(RULE_END)};
	struct return_instance inner = {.stack = at(2), .orig_ret_vaddr = in(RULE_SP), .next = &outer};
	struct uprobe_task probes = {.return_instances = &inner};

	(void)state;
	task.utask = &probes;
	put(2, OTHER_CODE);
	put(5, OTHER_CODE);
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, 3);
	assert_int_equal(scratch.stack.ip[1], in(RULE_SP));
	assert_int_equal(scratch.stack.ip[2], in(RULE_END));
	/* The probes' own mapping may be known: to be code that nobody has a table for. */
	put(2, JIT + 0x10);
	put(5, JIT + 0x10);
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, 3);
	assert_int_equal(scratch.walk.frame_pointer, 0);
}

/* The trampoline, interrupted: at each of its offsets that begin an instruction, so many words are on the stack. */
static void test_unwind_interrupted_return_probe_goes_where_it_would(void **state)
{
	static const struct {
		u32 offset, words;
	} points[] = {{0, 0}, {1, 1}, {2, 2}, {4, 3}, {11, 3}, {13, 3}, {15, 2}, {16, 1}};
	struct return_instance pending = {.stack = at(50), .orig_ret_vaddr = in(RULE_END)};
	struct uprobe_task probes = {.return_instances = &pending};
	struct xol_area area = {.vaddr = OTHER_CODE};
	struct mm_struct mm = {.uprobes_state = {.xol_area = &area}};

	(void)state;
	task.utask = &probes;
	task.mm = &mm;
	regs.bp = at(200);
	put(2, in(RULE_SIGNAL));
	for (u32 i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		put_signal_frame(3, OTHER_CODE + points[i].offset, at(51 - points[i].words), 88);
		put(50, points[i].offset > 11 ? in(RULE_END) : 0);
		walk_from(in(RULE_SP));
		assert_walk(UNWIND_COMPLETE, 3);
		assert_int_equal(scratch.stack.ip[2], in(RULE_END));
		assert_int_equal(scratch.walk.registers.sp, at(51));
	}
	put_signal_frame(3, OTHER_CODE + 17, at(51), 88);
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_NO_TABLE, 3);
}

static void test_unwind_unhide_puts_return_addresses_back_into_the_snapshot(void **state)
{
	struct return_instance outer = {.stack = at(5), .orig_ret_vaddr = in(RULE_END)};
	struct return_instance inner = {.stack = at(2), .orig_ret_vaddr = in(RULE_SP), .next = &outer};
	struct uprobe_task probes = {.return_instances = &inner};
	struct xol_area area = {.vaddr = OTHER_CODE};
	struct mm_struct mm = {.uprobes_state = {.xol_area = &area}};
	const u64 *words = (const void *)scratch.raw.bytes;

	(void)state;
	put(2, OTHER_CODE);
	put(3, OTHER_CODE);
	put(5, OTHER_CODE);
	scratch.raw.sp = at(0);
	scratch.raw.size = 0;
	scratch.whole = 0;
	unwind_snapshot_more(&scratch);
	unwind_unhide(&scratch);
	assert_int_equal(words[2], OTHER_CODE);
	task.utask = &probes;
	task.mm = &mm;
	unwind_unhide(&scratch);
	assert_int_equal(words[2], in(RULE_SP));
	assert_int_equal(words[3], OTHER_CODE);
	assert_int_equal(words[5], in(RULE_END));
}

static void test_unwind_endless_list_of_return_probes_is_left(void **state)
{
	struct return_instance self = {.stack = 1};
	struct uprobe_task probes = {.return_instances = &self};

	(void)state;
	self.next = &self;
	task.utask = &probes;
	assert_true(unwind_hidden_return(at(2)) == 0);
}

/* --- the searches
 * ------------------------------------------------------------------------------------------------------------ */

static void test_unwind_find_mapping_among_none(void **state)
{
	(void)state;
	assert_int_equal(unwind_find_mapping(0, CODE), UNWIND_NOTHING);
	assert_int_equal(unwind_find_mapping(1ULL << 32, CODE), UNWIND_NOTHING);
}

static void test_unwind_find_mapping_of_one_at_its_borders(void **state)
{
	(void)state;
	assert_int_equal(unwind_find_mapping(1, CODE - 1), UNWIND_NOTHING);
	assert_int_equal(unwind_find_mapping(1, CODE), 0);
	assert_int_equal(unwind_find_mapping(1, CODE + CODE_BYTES - 1), 0);
	assert_int_equal(unwind_find_mapping(1, CODE + CODE_BYTES), UNWIND_NOTHING);
}

static void test_unwind_find_mapping_of_thousand_each_and_the_gaps(void **state)
{
	enum {
		MANY = 1000,
		FIRST = 500,
		STEP = 0x2000
	};
	u64 list = (u64)FIRST << 32 | MANY;

	(void)state;
	for (u32 i = 0; i < MANY; i++)
		table_map(FIRST + i,
			  (struct unwind_mapping){.start = CODE + i * STEP, .end = CODE + i * STEP + 0x1000});
	for (u32 i = 0; i < MANY; i++) {
		u64 start = CODE + i * STEP;

		assert_int_equal(unwind_find_mapping(list, start), FIRST + i);
		assert_int_equal(unwind_find_mapping(list, start + 0xfff), FIRST + i);
		assert_int_equal(unwind_find_mapping(list, start + 0x1000), UNWIND_NOTHING);
		assert_int_equal(unwind_find_mapping(list, start - 1), UNWIND_NOTHING);
	}
}

static void test_unwind_find_mapping_list_out_of_bounds_finds_nothing(void **state)
{
	(void)state;
	assert_int_equal(unwind_find_mapping((u64)UNWIND_MAPPINGS_MAX << 32 | 10, CODE), UNWIND_NOTHING);
	assert_int_equal(unwind_find_mapping(~0ULL, CODE), UNWIND_NOTHING);
}

static void test_unwind_mapping_found_last_is_not_anothers(void **state)
{
	(void)state;
	/* Of another process, at the same address. */
	table_map(9, (struct unwind_mapping){.start = CODE, .end = CODE + CODE_BYTES});
	regs.ip = in(RULE_END);
	unwind(&regs, 9ULL << 32 | 1, &scratch);
	assert_walk(UNWIND_NO_TABLE, 1);
	walk_from(in(RULE_END));
	assert_walk(UNWIND_COMPLETE, 1);
}

static void test_unwind_other_file_and_back(void **state)
{
	static const struct table_row row = {.offset = 0, .rule = RULE_SP_BP};

	(void)state;
	table_write(OTHER_TABLE, 2, &row, 1);
	table_map(1, (struct unwind_mapping){.start = OTHER_CODE,
					     .end = OTHER_CODE + 0x1000,
					     .file_offset = 0x11000,
					     .table = OTHER_TABLE});
	put(2, OTHER_CODE + 0x1000);
	put(4, 99);
	put(5, in(RULE_SP));
	put(8, OTHER_CODE + 1);
	put(10, 98);
	put(11, in(RULE_END));
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, 5);
	assert_int_equal(scratch.walk.registers.bp, 98);
}

static void test_unwind_find_rule_first_last_and_page_borders(void **state)
{
	static const struct table_row rows[] = {
		{0, 1}, {1, 2}, {0xffff, 3}, {0x10000, 4}, {0x10001, 5}, {0x30000, 6}, {0x3fffe, 7}, {0x3ffff, 8},
	};
	static const struct table_row expected[] = {
		{0, 1},	      {1, 2},	    {2, 2},	  {0xfffe, 2},	{0xffff, 3},
		{0x10000, 4}, {0x10001, 5}, {0x1ffff, 5}, {0x20000, 5}, {0x2ffff, 5},
		{0x30000, 6}, {0x30001, 6}, {0x3fffd, 6}, {0x3fffe, 7}, {0x3ffff, 8},
	};

	(void)state;
	for (u32 index = 5000; index <= 5001; index++) {
		table_write(index, 4, rows, sizeof(rows) / sizeof(rows[0]));
		for (u32 i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
			assert_int_equal(unwind_find_rule(index, expected[i].offset), expected[i].rule);
		assert_int_equal(unwind_find_rule(index, 0x40000), UNWIND_NOTHING);
		assert_int_equal(unwind_find_rule(index, ~0ULL), UNWIND_NOTHING);
	}
}

static void test_unwind_find_rule_in_a_page_of_every_size(void **state)
{
	static struct table_row rows[1000];

	(void)state;
	for (u32 count = 1; count <= 1000; count += 37) {
		for (u32 i = 0; i < count; i++)
			rows[i] = (struct table_row){.offset = 3 * i, .rule = 2 * i};
		table_write(5000, 1, rows, count);
		for (u32 i = 0; i < count; i++)
			for (u32 offset = 3 * i; offset < 3 * i + 3; offset++)
				assert_int_equal(unwind_find_rule(5000, offset), 2 * i);
		assert_int_equal(unwind_find_rule(5000, 0xffff), 2 * (count - 1));
	}
}

static void test_unwind_find_rule_in_a_full_page(void **state)
{
	(void)state;
	table_word(5000, 1);
	table_word(5001, 3);
	table_word(5002, 3 + 65536);
	for (u32 i = 0; i < 65536; i++)
		table_word(5003 + i, i | i << 16);
	for (u32 i = 0; i < 65536; i++)
		assert_int_equal(unwind_find_rule(5000, i), i);
}

static void test_unwind_find_rule_in_a_corrupt_table_ends(void **state)
{
	(void)state;
	table_word(5000, 1);
	table_word(5001, 7);
	table_word(5002, 7);
	assert_int_equal(unwind_find_rule(5000, 5), UNWIND_NOTHING);
	table_word(5002, 0xffffffff);
	unwind_find_rule(5000, 5);
	table_word(5001, 0);
	unwind_find_rule(5000, 5);
	assert_int_equal(unwind_find_rule(UNWIND_ROWS_MAX, 5), UNWIND_NOTHING);
	assert_int_equal(unwind_find_rule(0xffffffff, 5), UNWIND_NOTHING);
}

/* --- the snapshot
 * ------------------------------------------------------------------------------------------------------------ */

static u64 load(u64 addr)
{
	assert_int_equal(unwind_load(&scratch, addr), 0);
	return scratch.walk.word;
}

static void test_unwind_load_every_word_from_every_start(void **state)
{
	(void)state;
	for (u32 i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
		memory[i] = i;
	for (u32 start = 0; start < PAGE_BYTES; start += 200) {
		scratch.raw.sp = (uintptr_t)memory + start;
		scratch.raw.size = 0;
		scratch.whole = 0;
		for (u64 addr = scratch.raw.sp; addr < scratch.raw.sp + RAW_STACK_BYTES + 64; addr += sizeof(u64))
			assert_int_equal(load(addr), (addr - (uintptr_t)memory) / sizeof(u64));
		assert_int_equal(scratch.raw.size, RAW_STACK_BYTES);
		if (start)
			assert_int_equal(load(scratch.raw.sp - 8), start / 8 - 1);
	}
}

static void test_unwind_load_far_word_first(void **state)
{
	(void)state;
	scratch.raw.sp = (uintptr_t)memory + 4000;
	scratch.raw.size = 0;
	scratch.whole = 0;
	memory[(4000 + RAW_STACK_BYTES - 8) / 8] = 42;
	assert_int_equal(load(scratch.raw.sp + RAW_STACK_BYTES - 8), 42);
	assert_int_equal(scratch.raw.size, RAW_STACK_BYTES);
}

static void test_unwind_load_unaligned_word(void **state)
{
	(void)state;
	scratch.raw.sp = (uintptr_t)memory;
	scratch.raw.size = 0;
	scratch.whole = 0;
	memory[0] = 0x1122334455667788;
	memory[1] = 0x99aabbccddeeff00;
	assert_true(load((uintptr_t)memory + 4) == 0xddeeff0011223344);
	/* A stack pointer that is not aligned at all: words across the snapshot's end too. */
	scratch.raw.sp = (uintptr_t)memory + 4;
	scratch.raw.size = 0;
	for (u32 i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
		memory[i] = (u64)i << 32 | i;
	for (u32 i = 0; i < 3 * PAGE_BYTES / 8; i++)
		assert_true(load(scratch.raw.sp + 8 * i) == ((u64)(i + 1) << 32 | i));
}

static void test_unwind_load_ends_with_the_stack(void **state)
{
	(void)state;
	for (u32 left = 8; left < RAW_STACK_BYTES; left += 504) {
		scratch.raw.sp = stub.memory_end - left;
		scratch.raw.size = 0;
		scratch.whole = 0;
		load(stub.memory_end - 8);
		assert_int_equal(unwind_load(&scratch, stub.memory_end), -1);
		assert_int_equal(unwind_load(&scratch, stub.memory_end - 4), -1);
		assert_int_equal(scratch.raw.size, left);
	}
}

static void test_unwind_reads_no_stack_that_it_does_not_need(void **state)
{
	(void)state;
	put(2, in(RULE_END));
	walk_from(in(RULE_SP));
	assert_int_equal(scratch.raw.size, PAGE_BYTES - START * sizeof(u64));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unwind_root_is_a_complete_stack),
		TEST(test_unwind_by_sp_keeps_bp),
		TEST(test_unwind_by_sp_restores_saved_bp),
		TEST(test_unwind_by_bp_restores_saved_bp),
		TEST(test_unwind_lazy_plt_entry_before_and_after_its_push),
		TEST(test_unwind_realigned_stack),
		TEST(test_unwind_zero_return_address_is_the_root),
		TEST(test_unwind_call_as_last_instruction_goes_by_the_code_before_it),
		TEST(test_unwind_interrupted_code_goes_by_its_own_address_recorded_one_higher),
		TEST(test_unwind_signal_stack_elsewhere_goes_on_below),
		TEST(test_unwind_signal_frame_unreadable_ends_there),
		TEST(test_unwind_code_without_rule_ends_there),
		TEST(test_unwind_beyond_the_table_has_no_rule),
		TEST(test_unwind_stack_unreadable_ends_there),
		TEST(test_unwind_stack_that_does_not_shrink_is_corrupt),
		TEST(test_unwind_deepest_stack_and_one_deeper),
		TEST(test_unwind_table_not_ready_says_so),
		TEST(test_unwind_mappings_not_known_says_so),
		TEST(test_unwind_unmapped_code_is_for_user_space_to_look_at),
		TEST(test_unwind_jit_code_goes_by_frame_pointer),
		TEST(test_unwind_frame_pointer_below_the_stack_is_not_trusted),
		TEST(test_unwind_frame_pointer_to_no_code_ends_the_stack),
		TEST(test_unwind_frame_pointer_unreadable_ends_the_stack),
		TEST(test_unwind_waiting_return_probe_is_seen_through),
		TEST(test_unwind_interrupted_return_probe_goes_where_it_would),
		TEST(test_unwind_unhide_puts_return_addresses_back_into_the_snapshot),
		TEST(test_unwind_endless_list_of_return_probes_is_left),
		TEST(test_unwind_find_mapping_among_none),
		TEST(test_unwind_find_mapping_of_one_at_its_borders),
		TEST(test_unwind_find_mapping_of_thousand_each_and_the_gaps),
		TEST(test_unwind_find_mapping_list_out_of_bounds_finds_nothing),
		TEST(test_unwind_mapping_found_last_is_not_anothers),
		TEST(test_unwind_other_file_and_back),
		TEST(test_unwind_find_rule_first_last_and_page_borders),
		TEST(test_unwind_find_rule_in_a_page_of_every_size),
		TEST(test_unwind_find_rule_in_a_full_page),
		TEST(test_unwind_find_rule_in_a_corrupt_table_ends),
		TEST(test_unwind_load_every_word_from_every_start),
		TEST(test_unwind_load_far_word_first),
		TEST(test_unwind_load_unaligned_word),
		TEST(test_unwind_load_ends_with_the_stack),
		TEST(test_unwind_reads_no_stack_that_it_does_not_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
