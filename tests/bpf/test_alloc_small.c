/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc.bpf.c: functions that serve small blocks only, and hand everything else on to another allocator, which counts it (CPython's). */
#include "alloc_call.h"

static bool small_call(enum call_kind kind, u64 one, u64 two)
{
	at_entry(kind, one, two, 0);
	stub.cookie |= COOKIE_SMALL;
	return !alloc_session(&regs);
}

static void test_small_sizes_are_its_own(void **state)
{
	(void)state;
	for (u64 size = 1; size <= 512; size++) {
		assert_true(small_call(CALL_MALLOC, size, 0));
		call_returns(0x5000 + size);
		assert_born(0x5000 + size, size);
	}
	assert_true(small_call(CALL_CALLOC, 8, 64));
	assert_true(small_call(CALL_RESIZE, 0, 512));
}

static void test_other_sizes_are_not(void **state)
{
	(void)state;
	assert_false(small_call(CALL_MALLOC, 0, 0));
	assert_false(small_call(CALL_MALLOC, 513, 0));
	assert_false(small_call(CALL_MALLOC, ~0ULL, 0));
	assert_false(small_call(CALL_CALLOC, 0, 8));
	assert_false(small_call(CALL_CALLOC, 27, 19));
	assert_false(small_call(CALL_RESIZE, 0, 513));
	assert_no_event();
	assert_int_equal(counted(COUNTER_SAMPLED), 0);
}

/* A larger size is malloc's, to which the old block is copied: it stays in use until it is freed by its own function. */
static void test_growing_beyond_leaves_the_old_block_alone(void **state)
{
	u64 object;

	(void)state;
	small_call(CALL_MALLOC, 100, 0);
	call_returns(0x5000);
	object = assert_born(0x5000, 100);
	assert_false(small_call(CALL_RESIZE, 0x5000, 1000));
	assert_no_event();
	assert_false(small_call(CALL_FREE, 0x5000, 0));
	assert_int_equal(((const struct event_object *)next_event(EVENT_FREE))->object, object);
}

/* malloc's block becomes small: realloc, which the function jumps to, has it. */
static void test_shrinking_of_a_foreign_block_is_passed_on(void **state)
{
	(void)state;
	assert_true(call(CALL_MALLOC, 1000, 0, 0));
	call_returns(0x9000);
	assert_born(0x9000, 1000);
	assert_true(small_call(CALL_RESIZE, 0x9000, 100));
	stub.cookie = cookie_make(CALL_PASSED, ARG_DI, ARG_DI, SCOPE, 0, SITE);
	alloc_session(&regs);
	assert_true(call(CALL_REALLOC, 0x9000, 100, 0));
	call_returns(0x9000);
	assert_int_equal(counted(COUNTER_SAMPLED), 2);
	assert_int_equal(counted(COUNTER_RETURN_MISSED), 0);
	assert_int_equal(stub_count(&live), 1);
	assert_int_equal(stub_count(&stashes), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_small_sizes_are_its_own, setup),
		cmocka_unit_test_setup(test_other_sizes_are_not, setup),
		cmocka_unit_test_setup(test_growing_beyond_leaves_the_old_block_alone, setup),
		cmocka_unit_test_setup(test_shrinking_of_a_foreign_block_is_passed_on, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
