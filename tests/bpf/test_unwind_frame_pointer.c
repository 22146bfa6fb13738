/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unwind.bpf.h: code without a rule, where the walk goes on by frame pointer if that is one. */
#include "walk.h"

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

/* In a file with a table, but behind all code that the table covers. */
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

/* HotSpot's, unless told otherwise: bp may be an outer frame's. */
static void test_unwind_code_that_keeps_none_ends_the_stack(void **state)
{
	(void)state;
	table_map(1, (struct unwind_mapping){.start = JIT,
					     .end = JIT + 0x1000,
					     .flags = UNWIND_MAPPING_NO_TABLE | UNWIND_MAPPING_FRAMELESS});
	code_is_calls(CODE);
	put(11, in(RULE_END));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unwind_jit_code_goes_by_frame_pointer),
		TEST(test_unwind_code_without_a_rule_goes_by_frame_pointer),
		TEST(test_unwind_code_behind_the_table_goes_by_frame_pointer),
		TEST(test_unwind_frame_pointer_loses_bx),
		TEST(test_unwind_frame_pointer_that_is_none_is_not_trusted),
		TEST(test_unwind_code_that_keeps_none_ends_the_stack),
		TEST(test_unwind_frame_pointer_to_unmapped_code_is_for_user_space_to_look_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
