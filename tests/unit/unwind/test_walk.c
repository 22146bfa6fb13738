/* SPDX-License-Identifier: GPL-2.0-or-later */
/* walk.c: a stack made up of a few words for every rule, and for every way a walk can end. */
#include <errno.h>

#include "raw_stack.h"

static u64 ip[STACK_DEPTH_MAX];
static u32 depth;
static bool frame_pointer;

/* --- made-up stacks: a file whose rule at offset N is rules[N / 16] --- */

static void assert_end(enum unwind_end end, u32 frames)
{
	assert_int_equal(walk_raw(NULL, mappings, getpid(), &event, ip, &depth, &frame_pointer), end);
	assert_int_equal(depth, frames);
	assert_true(ip[0] == event.ip);
}

static void test_unwind_undefined_return_address_is_complete(void **state)
{
	(void)state;
	words[1] = code(1);
	words[3] = code(2);
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(ip[1] == code(1) && ip[2] == code(2));
}

static void test_unwind_return_address_zero_is_complete(void **state)
{
	(void)state;
	words[1] = 0;
	assert_end(UNWIND_COMPLETE, 1);
}

static void test_unwind_code_in_no_mapping_ends(void **state)
{
	(void)state;
	words[1] = BEHIND_CODE;
	assert_end(UNWIND_NO_MAPPING, 2);
	/* A call at the very end of a mapping returns behind it. */
	words[1] = CODE_END;
	rules[63] = (struct unwind_rule){.cfa = CFA_END};
	assert_end(UNWIND_COMPLETE, 2);
}

static void test_unwind_mapping_is_that_of_the_time(void **state)
{
	(void)state;
	words[1] = BEHIND_CODE + 15;
	map(mappings, CODE_END, CODE_END + 0x1000, 51, made_up);
	rules[0] = (struct unwind_rule){.cfa = CFA_END};
	assert_end(UNWIND_NO_MAPPING, 2);
	event.header.time_ns = 51;
	assert_end(UNWIND_COMPLETE, 2);
}

static void test_unwind_table_not_ready_says_so(void **state)
{
	(void)state;
	rule_error = -EAGAIN;
	assert_end(UNWIND_NO_TABLE, 1);
}

static void test_unwind_unknown_rule_ends(void **state)
{
	(void)state;
	words[1] = code(5);
	event.bp = STACK;
	assert_end(UNWIND_NO_RULE, 2);
}

static void test_unwind_unknown_rule_at_the_outermost_frame_is_complete(void **state)
{
	(void)state;
	words[1] = code(5);
	event.bp = 0;
	assert_end(UNWIND_COMPLETE, 2);
}

static void test_unwind_word_outside_the_copy_is_unreadable(void **state)
{
	static const u64 places[] = {STACK - 8, STACK + 249, STACK + 256, STACK + RAW_STACK_BYTES,
				     STACK - 1, 0,	     UINT64_MAX,  UINT64_MAX - 7};

	(void)state;
	rules[1] = (struct unwind_rule){.cfa = CFA_BP, .offset = 8};
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		event.bp = places[i];
		assert_end(UNWIND_UNREADABLE, 1);
	}
	event.bp = STACK + 248;
	words[31] = code(2);
	assert_end(UNWIND_COMPLETE, 2);
	for (event.size = 0; event.size < 8; event.size++)
		assert_end(UNWIND_UNREADABLE, 1);
}

static void test_unwind_saved_bp_outside_the_copy_is_unreadable(void **state)
{
	(void)state;
	words[1] = code(2);
	rules[1] = (struct unwind_rule){.cfa = CFA_SP, .offset = 16, .bp = SAVED_AT_CFA, .bp_offset = -24};
	assert_end(UNWIND_UNREADABLE, 1);
	rules[1].bp_offset = INT16_MIN;
	assert_end(UNWIND_UNREADABLE, 1);
	rules[1].bp_offset = -16;
	assert_end(UNWIND_COMPLETE, 2);
}

static void test_unwind_stack_that_goes_back_is_stuck(void **state)
{
	(void)state;
	words[1] = code(3);
	rules[3] = (struct unwind_rule){.cfa = CFA_BP, .offset = 16};
	event.bp = STACK;
	assert_end(UNWIND_STUCK, 2);
	event.bp = STACK - 8;
	assert_end(UNWIND_STUCK, 2);
}

static void test_unwind_as_deep_as_the_programs_go(void **state)
{
	(void)state;
	rules[1].offset = 8;
	event.size = RAW_STACK_BYTES;
	for (u32 i = 0; i < RAW_STACK_BYTES / sizeof(u64); i++)
		words[i] = code(1);
	assert_end(UNWIND_TOO_DEEP, STACK_LEAF_MAX + 1);
	assert_int_equal(ip[STACK_LEAF_MAX], STACK_LEFT_OUT);
	words[STACK_WALK_MAX - 2] = code(2);
	assert_end(UNWIND_TRUNCATED, STACK_DEPTH_MAX);
	assert_int_equal(ip[STACK_LEAF_MAX], STACK_LEFT_OUT);
	assert_int_equal(ip[STACK_DEPTH_MAX - 2], code(1));
	assert_int_equal(ip[STACK_DEPTH_MAX - 1], code(2));
	words[STACK_DEPTH_MAX - 1] = code(6);
	rules[6].cfa = CFA_UNKNOWN;
	assert_end(UNWIND_NO_RULE, STACK_LEAF_MAX + 1);
	words[STACK_DEPTH_MAX - 2] = code(2);
	assert_end(UNWIND_COMPLETE, STACK_DEPTH_MAX);
	words[STACK_DEPTH_MAX - 2] = 0;
	assert_end(UNWIND_COMPLETE, STACK_DEPTH_MAX - 1);
}

static void test_unwind_plt_entry_depends_on_how_far_it_got(void **state)
{
	(void)state;
	rules[1] = (struct unwind_rule){.cfa = CFA_PLT, .offset = 11};
	words[0] = code(2);
	words[1] = code(2) + 1;
	event.ip = CODE + 16 + 10;
	assert_end(UNWIND_COMPLETE, 2);
	assert_true(ip[1] == code(2));
	event.ip++;
	assert_end(UNWIND_COMPLETE, 2);
	assert_true(ip[1] == code(2) + 1);
}

static void test_unwind_realigned_frame_finds_cfa_in_memory(void **state)
{
	(void)state;
	rules[1] = (struct unwind_rule){.cfa = CFA_BP_DEREF, .at = -8, .bp = SAVED_AT_BP};
	rules[4] = (struct unwind_rule){.cfa = CFA_BP, .offset = 8};
	event.bp = STACK + 32;
	words[3] = STACK + 80;
	words[4] = STACK + 160; /* the caller's bp */
	words[9] = code(4);
	words[20] = code(2);
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(ip[1] == code(4) && ip[2] == code(2));
	event.bp = STACK + 256;
	assert_end(UNWIND_UNREADABLE, 1);
}

/* The interrupted instruction may be the first of its function: its own rule counts, not that of the code before. */
static void test_unwind_signal_frame_is_exact(void **state)
{
	(void)state;
	rules[6] = (struct unwind_rule){.cfa = CFA_SIGNAL};
	rules[7] = (struct unwind_rule){.cfa = CFA_BP, .offset = 8};
	event.ip = code(6);
	words[UNWIND_SIGNAL_IP / 8] = CODE + 16 * 7;
	words[UNWIND_SIGNAL_SP / 8] = STACK + 200;
	words[UNWIND_SIGNAL_BP / 8] = STACK + 216;
	words[27] = code(2);
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(ip[1] == CODE + 16 * 7 + 1 && ip[2] == code(2));
	/* The frame after that holds a return address again. */
	words[27] = CODE + 16 * 3;
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(ip[2] == CODE + 16 * 3);
	event.size = UNWIND_SIGNAL_IP;
	assert_end(UNWIND_UNREADABLE, 1);
}

static void test_unwind_signal_frame_on_another_stack_is_unreadable(void **state)
{
	(void)state;
	rules[6] = (struct unwind_rule){.cfa = CFA_SIGNAL};
	event.ip = code(6);
	words[UNWIND_SIGNAL_IP / 8] = code(1);
	words[UNWIND_SIGNAL_SP / 8] = STACK - 0x10000;
	assert_end(UNWIND_UNREADABLE, 2);
}

static void test_unwind_code_without_a_rule_goes_by_frame_pointer(void **state)
{
	(void)state;
	words[1] = code(5);
	event.bp = STACK + 32;
	words[5] = code(2);
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(ip[1] == code(5) && ip[2] == code(2));
	rule_error = -ENOENT;
	event.ip = code(5);
	assert_end(UNWIND_NO_RULE, 2);
}

static void test_unwind_base_in_bx_is_followed(void **state)
{
	(void)state;
	rules[3] = (struct unwind_rule){.cfa = CFA_BX, .offset = 16};
	rules[1].bx = SAVED_AT_CFA;
	rules[1].bx_offset = -16;
	words[0] = STACK + 64;
	words[1] = code(3);
	words[9] = code(2);
	assert_end(UNWIND_COMPLETE, 3);
	rules[1].bx = SAVED_NOT;
	event.bx = STACK + 80;
	words[11] = code(2);
	assert_end(UNWIND_COMPLETE, 3);
	event.bx = 0;
	assert_end(UNWIND_UNREADABLE, 2);
}

static void test_unwind_allocator_to_be_shown_comes_first(void **state)
{
	(void)state;
	event.allocator = OTHER_CODE + 1;
	words[1] = code(2);
	assert_int_equal(walk_raw(NULL, mappings, getpid(), &event, ip, &depth, &frame_pointer), UNWIND_COMPLETE);
	assert_int_equal(depth, 3);
	assert_true(ip[0] == OTHER_CODE + 1 && ip[1] == event.ip && ip[2] == code(2));
}

static void test_unwind_code_without_file_goes_by_frame_pointer(void **state)
{
	(void)state;
	event.ip = OTHER_CODE + 8;
	event.bp = STACK + 32;
	words[4] = STACK + 64;
	words[5] = OTHER_CODE + 16;
	words[8] = 0;
	words[9] = code(2);
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(ip[1] == OTHER_CODE + 16 && ip[2] == code(2));
	code_byte = 0x90; /* not returned to: no call before it */
	assert_end(UNWIND_NO_RULE, 2);
	code_byte = 0xe8;
	words[9] = CODE + 3; /* nor can one be there */
	assert_end(UNWIND_NO_RULE, 2);
	words[9] = BEHIND_CODE;
	assert_end(UNWIND_NO_RULE, 2);
	event.bp = STACK - 8;
	assert_end(UNWIND_NO_RULE, 1);
	event.bp = STACK + 33;
	assert_end(UNWIND_NO_RULE, 1);
	event.bp = 0;
	assert_end(UNWIND_NO_RULE, 1);
}

/* CPython's perf trampoline of 3.12 to 3.14, and of later ones: whatever bp is, it is the caller's. */
static void test_unwind_code_that_leaves_at_once_is_seen_to(void **state)
{
	static const u8 by_sp[] = {0x48, 0x83, 0xec, 8, 0xff, 0xd1, 0x48, 0x83, 0xc4, 8, 0xc3};
	static const u8 by_bp[] = {0x55, 0x48, 0x89, 0xe5, 0xff, 0xd1, 0x5d, 0xc3};

	(void)state;
	memcpy(made_code + 64, by_sp, sizeof(by_sp));
	event.ip = OTHER_CODE + 64 + 6;
	event.bp = STACK + 32;
	words[1] = code(2);
	words[5] = code(1);
	assert_end(UNWIND_COMPLETE, 2);
	assert_false(frame_pointer);
	memcpy(made_code + 64, by_bp, sizeof(by_bp));
	assert_end(UNWIND_COMPLETE, 2);
	assert_false(frame_pointer);
}

/* HotSpot's interpreter returns to where no call is. */
static void test_unwind_interpreter_is_returned_to_without_a_call(void **state)
{
	static const u8 restored[] = {0x48, 0x8b, 0x65, 0xf0, 0x48, 0xc7, 0x45, 0xf0, 0, 0, 0, 0, 0x4c};

	(void)state;
	memset(made_code, 0x90, sizeof(made_code));
	event.ip = OTHER_CODE + 8;
	event.bp = STACK + 32;
	words[4] = STACK + 64;
	words[5] = OTHER_CODE + 64;
	words[9] = code(2);
	assert_end(UNWIND_NO_RULE, 1);
	memcpy(made_code + 64, restored, sizeof(restored));
	assert_end(UNWIND_COMPLETE, 3);
	assert_true(frame_pointer);
}

static void test_unwind_code_that_keeps_no_frame_pointers_ends(void **state)
{
	(void)state;
	event.ip = OTHER_CODE + 8;
	event.bp = STACK + 32;
	words[5] = code(2);
	assert_end(UNWIND_COMPLETE, 2);
	address_map_set_frameless(mappings, true);
	assert_end(UNWIND_NO_RULE, 1);
	/* Files' code is as it was. */
	event.ip = code(5);
	assert_end(UNWIND_COMPLETE, 2);
	event.ip = OTHER_CODE + 8;
	address_map_set_frameless(mappings, false);
	assert_end(UNWIND_COMPLETE, 2);
}

static void test_unwind_code_of_a_process_that_is_gone_is_not_guessed(void **state)
{
	(void)state;
	event.ip = OTHER_CODE + 8;
	event.bp = STACK + 32;
	words[5] = OTHER_CODE + 16;
	assert_int_equal(walk_raw(NULL, mappings, 0, &event, ip, &depth, &frame_pointer), UNWIND_NO_RULE);
	assert_int_equal(depth, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unwind_undefined_return_address_is_complete),
		TEST(test_unwind_return_address_zero_is_complete),
		TEST(test_unwind_code_in_no_mapping_ends),
		TEST(test_unwind_mapping_is_that_of_the_time),
		TEST(test_unwind_table_not_ready_says_so),
		TEST(test_unwind_unknown_rule_ends),
		TEST(test_unwind_unknown_rule_at_the_outermost_frame_is_complete),
		TEST(test_unwind_word_outside_the_copy_is_unreadable),
		TEST(test_unwind_saved_bp_outside_the_copy_is_unreadable),
		TEST(test_unwind_stack_that_goes_back_is_stuck),
		TEST(test_unwind_as_deep_as_the_programs_go),
		TEST(test_unwind_plt_entry_depends_on_how_far_it_got),
		TEST(test_unwind_realigned_frame_finds_cfa_in_memory),
		TEST(test_unwind_signal_frame_is_exact),
		TEST(test_unwind_signal_frame_on_another_stack_is_unreadable),
		TEST(test_unwind_code_without_a_rule_goes_by_frame_pointer),
		TEST(test_unwind_base_in_bx_is_followed),
		TEST(test_unwind_allocator_to_be_shown_comes_first),
		TEST(test_unwind_code_without_file_goes_by_frame_pointer),
		TEST(test_unwind_code_that_leaves_at_once_is_seen_to),
		TEST(test_unwind_interpreter_is_returned_to_without_a_call),
		TEST(test_unwind_code_that_keeps_no_frame_pointers_ends),
		TEST(test_unwind_code_of_a_process_that_is_gone_is_not_guessed),
	};

	return cmocka_run_group_tests_name("unwind", tests, NULL, NULL);
}
