/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unwind.bpf.h: every rule, how a walk ends, frame pointers and return probes. */
#include "walk.h"

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

/* --- rules --- */

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

static void test_unwind_base_on_the_stack(void **state)
{
	(void)state;
	regs.bp = 77;
	put(5, at(30));
	put(30, in(RULE_END));
	assert_step(in(RULE_SP_DEREF), in(RULE_END), at(31), 77);
}

/* bx is restored from the frames between, at the place of either base. */
static void test_unwind_base_in_bx(void **state)
{
	(void)state;
	regs.bx = at(10);
	put(11, in(RULE_END));
	assert_step(in(RULE_BX), in(RULE_END), at(12), 0);
	regs.bx = 1;
	put(1, at(20));
	put(2, in(RULE_BX));
	put(21, in(RULE_END));
	walk_from(in(RULE_SAVES_BX));
	assert_walk(UNWIND_COMPLETE, 3);
	assert_int_equal(scratch.walk.registers.sp, at(22));
	regs.bp = at(40);
	put(34, at(20));
	walk_from(in(RULE_SAVES_BX_AT_BP));
	assert_walk(UNWIND_COMPLETE, 3);
	assert_int_equal(scratch.walk.registers.sp, at(22));
}

static void put_signal_frame(u32 word, u64 ip, u64 sp, u64 bp)
{
	put(word + UNWIND_SIGNAL_IP / 8, ip);
	put(word + UNWIND_SIGNAL_SP / 8, sp);
	put(word + UNWIND_SIGNAL_BP / 8, bp);
}

/* Any register holds the base where a signal struck, and only there. */
static void test_unwind_base_in_another_register_where_a_signal_struck(void **state)
{
	(void)state;
	put_signal_frame(0, in(RULE_SIGNALED)-1, at(100), 88);
	memory[START + UNWIND_SIGNAL_REGISTER(2) / 8] = at(120); /* r10 */
	put(121, in(RULE_END));
	walk_from(in(RULE_SIGNAL));
	assert_walk(UNWIND_COMPLETE, 3);
	assert_int_equal(scratch.walk.registers.sp, at(122));
	walk_from(in(RULE_SIGNALED));
	assert_walk(UNWIND_NO_RULE, 1);
	put(121, in(RULE_SIGNALED));
	walk_from(in(RULE_SIGNAL));
	assert_walk(UNWIND_NO_RULE, 3);
}

static void test_unwind_zero_return_address_is_the_root(void **state)
{
	(void)state;
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, 1);
}

/* --- return addresses and exact ones --- */

static void test_unwind_call_as_last_instruction_goes_by_the_code_before_it(void **state)
{
	(void)state;
	put(2, in(RULE_END));
	/* The function ends with a call that does not return: what follows belongs to another. */
	walk_from(in(RULE_SP_BP)-0x50);
	assert_walk(UNWIND_COMPLETE, 2);
	assert_int_equal(scratch.walk.registers.bp, regs.bp);
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

/* --- other ends --- */

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
	unwind(&regs, 0, 0, false, &scratch);
	assert_walk(UNWIND_NO_TABLE, 1);
}

static void test_unwind_unmapped_code_is_for_user_space_to_look_at(void **state)
{
	(void)state;
	put(2, OTHER_CODE);
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_NO_TABLE, 2);
}

/* --- frame pointers, return probes --- */

static void code_is_calls(u64 start)
{
	stub.calls = start;
	stub.calls_end = start + CODE_BYTES;
}

static void check_frame_pointer(u64 ip)
{
	code_is_calls(CODE);
	regs.bp = at(10);
	put(10, 99);
	put(11, in(RULE_END));
	assert_step(ip, in(RULE_END), at(12), 99);
	assert_int_equal(scratch.walk.frame_pointer, 1);
	walk_from(in(RULE_END));
	assert_int_equal(scratch.walk.frame_pointer, 0);
}

static void test_unwind_jit_code_goes_by_frame_pointer(void **state)
{
	(void)state;
	check_frame_pointer(JIT + 0x100);
}

static void test_unwind_code_without_a_rule_goes_by_frame_pointer(void **state)
{
	(void)state;
	check_frame_pointer(in(RULE_NONE));
}

/* In a file with a table, but behind all code that it tells about. */
static void test_unwind_code_behind_the_table_goes_by_frame_pointer(void **state)
{
	(void)state;
	table_map(0, (struct unwind_mapping){.start = CODE, .end = CODE + 0x100000, .table = TABLE});
	check_frame_pointer(CODE + CODE_BYTES + 0x100);
}

/* Nothing is known of bx after that, so a frame that has its base there ends the stack. */
static void test_unwind_frame_pointer_loses_bx(void **state)
{
	(void)state;
	code_is_calls(CODE);
	regs.bp = at(10);
	regs.bx = at(20);
	put(11, in(RULE_BX));
	put(21, in(RULE_END));
	walk_from(JIT + 0x100);
	assert_walk(UNWIND_UNREADABLE, 2);
}

static void assert_frame_pointer_not_trusted(u64 bp)
{
	regs.bp = bp;
	walk_from(JIT + 0x100);
	assert_walk(UNWIND_NO_RULE, 1);
	assert_int_equal(scratch.walk.frame_pointer, 0);
}

static void test_unwind_frame_pointer_that_is_none_is_not_trusted(void **state)
{
	(void)state;
	code_is_calls(CODE);
	put(11, in(RULE_END));
	assert_frame_pointer_not_trusted(at(0) - 8);
	assert_frame_pointer_not_trusted(at(10) + 4);
	assert_frame_pointer_not_trusted(stub.memory_end);
	/* No call before where it would return to. */
	code_is_calls(OTHER_CODE);
	assert_frame_pointer_not_trusted(at(10));
}

static void test_unwind_frame_pointer_to_unmapped_code_is_for_user_space_to_look_at(void **state)
{
	(void)state;
	code_is_calls(OTHER_CODE);
	regs.bp = at(10);
	put(11, OTHER_CODE + 100);
	walk_from(JIT + 0x100);
	assert_walk(UNWIND_NO_TABLE, 2);
}

/* Of every length a call has. */
static void test_unwind_is_call_knows_every_form(void **state)
{
	static const u8 calls[][UNWIND_CALL_BYTES] = {
		{0, 0, 0xe8, 1, 2, 3, 4},	/* call rel32 */
		{0, 0, 0, 0, 0, 0xff, 0xd0},	/* call *rax */
		{0, 0, 0, 0, 0x41, 0xff, 0xd2}, /* call *r10 */
		{0, 0, 0, 0, 0xff, 0x50, 8},	/* call *8(rax) */
		{0, 0, 0, 0, 0xff, 0x14, 0xc8}, /* call *(rax, rcx, 8) */
		{0, 0, 0, 0xff, 0x54, 0x24, 8}, /* call *8(rsp) */
		{0, 0xff, 0x15, 1, 2, 3, 4},	/* call *rel32(rip) */
		{0xff, 0x94, 0xc8, 1, 2, 3, 4}, /* call *disp32(rax, rcx, 8) */
	};
	static const u8 others[][UNWIND_CALL_BYTES] = {
		{0, 0, 0, 0, 0, 0, 0},		{0, 0, 0xe9, 1, 2, 3, 4}, /* jmp rel32 */
		{0, 0, 0, 0, 0, 0xff, 0xe0},				  /* jmp *rax */
		{0, 0, 0, 0, 0, 0xff, 0x30},				  /* push (rax) */
		{0xe8, 1, 2, 3, 4, 0x90, 0x90},				  /* a call, but earlier */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		assert_true(unwind_is_call(calls[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(unwind_is_call(others[i]));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unwind_root_is_a_complete_stack),
		TEST(test_unwind_by_sp_keeps_bp),
		TEST(test_unwind_by_sp_restores_saved_bp),
		TEST(test_unwind_by_bp_restores_saved_bp),
		TEST(test_unwind_lazy_plt_entry_before_and_after_its_push),
		TEST(test_unwind_realigned_stack),
		TEST(test_unwind_base_on_the_stack),
		TEST(test_unwind_base_in_bx),
		TEST(test_unwind_base_in_another_register_where_a_signal_struck),
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
		TEST(test_unwind_code_without_a_rule_goes_by_frame_pointer),
		TEST(test_unwind_code_behind_the_table_goes_by_frame_pointer),
		TEST(test_unwind_frame_pointer_loses_bx),
		TEST(test_unwind_frame_pointer_that_is_none_is_not_trusted),
		TEST(test_unwind_frame_pointer_to_unmapped_code_is_for_user_space_to_look_at),
		TEST(test_unwind_is_call_knows_every_form),
		TEST(test_unwind_waiting_return_probe_is_seen_through),
		TEST(test_unwind_interrupted_return_probe_goes_where_it_would),
		TEST(test_unwind_unhide_puts_return_addresses_back_into_the_snapshot),
		TEST(test_unwind_endless_list_of_return_probes_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
