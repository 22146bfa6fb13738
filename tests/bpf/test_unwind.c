/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unwind.bpf.h: every rule, and how a walk ends. */
#include "walk.h"

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

/* What OCaml's calls of C say, and the first frame of a fiber: the caller's stack is where it is. */
static void test_unwind_stack_that_switches_may_go_anywhere(void **state)
{
	(void)state;
	regs.sp = at(300);
	put(302, at(20));
	put(20, in(RULE_END));
	assert_step(in(RULE_SWITCHES), in(RULE_END), at(21), 0);
	put(303, at(40));
	put(40, at(50));
	put(50, in(RULE_END));
	assert_step(in(RULE_SWITCHES_TWICE), in(RULE_END), at(51), 0);
}

static void test_unwind_code_of_which_nothing_is_true_ends_the_stack(void **state)
{
	(void)state;
	stub.calls = CODE;
	stub.calls_end = CODE + CODE_BYTES;
	regs.bp = at(10);
	put(11, in(RULE_END));
	walk_from(in(RULE_CUT));
	assert_walk(UNWIND_NO_RULE, 1);
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
}

/* The frames of code(RULE_SP) have an address each, the last of them code(RULE_END)'s. */
static void put_deep(u32 depth)
{
	for (u32 i = 0; i < depth - 2; i++)
		put(2 + 3 * i, in(RULE_SP) + i % 100);
	put(2 + 3 * (depth - 2), in(RULE_END));
}

static void test_unwind_deeper_stack_has_its_last_frames_behind_the_first(void **state)
{
	(void)state;
	for (u32 depth = STACK_DEPTH_MAX + 1; depth <= STACK_WALK_MAX; depth += depth < 160 ? 1 : 108) {
		put_deep(depth);
		walk_from(in(RULE_SP));
		assert_walk(UNWIND_COMPLETE, depth);
		for (u32 i = 1; i < STACK_LEAF_MAX; i++)
			assert_int_equal(scratch.stack.ip[i], in(RULE_SP) + (i - 1) % 100);
		for (u32 i = depth - STACK_ROOT_MAX; i < depth - 1; i++)
			assert_int_equal(scratch.stack.ip[stack_place(i)], in(RULE_SP) + (i - 1) % 100);
		assert_int_equal(scratch.stack.ip[stack_place(depth - 1)], in(RULE_END));
	}
}

static void test_unwind_walk_is_bounded(void **state)
{
	(void)state;
	put_deep(STACK_WALK_MAX + 1);
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_GOES_ON, STACK_WALK_MAX);
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
		TEST(test_unwind_stack_that_switches_may_go_anywhere),
		TEST(test_unwind_code_of_which_nothing_is_true_ends_the_stack),
		TEST(test_unwind_deepest_stack_and_one_deeper),
		TEST(test_unwind_deeper_stack_has_its_last_frames_behind_the_first),
		TEST(test_unwind_walk_is_bounded),
		TEST(test_unwind_table_not_ready_says_so),
		TEST(test_unwind_mappings_not_known_says_so),
		TEST(test_unwind_unmapped_code_is_for_user_space_to_look_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
