/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc.bpf.c: the calls that no family of C's own has: arrays resized, strings duplicated, calls passed on by a jump. */
#include "alloc_call.h"

#include <string.h>

static struct {
	u64 stack[2];
	char text[3 * RAW_STACK_BYTES];
} memory;

/* A string of that many bytes with its end, among what the process has. */
static u64 string_of(size_t size)
{
	stub.memory = (uintptr_t)&memory;
	stub.memory_end = (uintptr_t)(&memory + 1);
	memset(memory.text, 'x', sizeof(memory.text));
	memory.text[size - 1] = 0;
	return (uintptr_t)memory.text;
}

/* With its stack in the memory that also has the string. */
static bool duplicate(void)
{
	at_entry(CALL_DUPLICATE, 0x7000, 0, 0);
	memory.stack[0] = CALLER;
	regs.sp = (uintptr_t)memory.stack;
	return !alloc_session(&regs);
}

static void test_alloc_array_resized_asks_for_the_product(void **state)
{
	u64 object = born(0x5000, 100);

	(void)state;
	assert_true(call(CALL_RESIZE_ARRAY, 0x5000, 20, 30));
	assert_int_equal(((const struct event_object *)next_event(EVENT_MOVED))->object, object);
	call_returns(0x6000);
	assert_born(0x6000, 600);
	assert_true(call(CALL_RESIZE_ARRAY, 0, 7, 11));
	call_returns(0x7000);
	assert_born(0x7000, 77);
}

static void test_alloc_array_that_overflows_keeps_the_old_one(void **state)
{
	u64 object = born(0x5000, 100);

	(void)state;
	assert_false(call(CALL_RESIZE_ARRAY, 0x5000, 1ULL << 40, 1ULL << 40));
	assert_no_event();
	call(CALL_FREE, 0x5000, 0, 0);
	assert_int_equal(((const struct event_object *)next_event(EVENT_FREE))->object, object);
}

static void test_alloc_duplicate_is_as_long_as_its_string(void **state)
{
	static const size_t sizes[] = {
		1, 2, 100, RAW_STACK_BYTES - 1, RAW_STACK_BYTES, RAW_STACK_BYTES + 1, 3 * RAW_STACK_BYTES};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		u64 addr = string_of(sizes[i]);

		assert_true(duplicate());
		call_returns(addr);
		assert_born(addr, sizes[i]);
		assert_true(heap_end(PROCESS, addr, EVENT_FREE, LIVE_DEAD, &(u8){0}));
		next_event(EVENT_FREE);
	}
	assert_int_equal(counted(COUNTER_SAMPLED), sizeof(sizes) / sizeof(*sizes));
}

/* Whether it is a sample is only known at its return: until then it counts as one, and no longer if it is none. */
static void test_alloc_duplicate_is_sampled_by_its_length(void **state)
{
	u64 addr = string_of(16);

	(void)state;
	config.sample_bytes = 1U << 30;
	assert_true(duplicate());
	assert_int_equal(counted(COUNTER_SAMPLED), 1);
	call_returns(addr);
	assert_no_event();
	assert_int_equal(counted(COUNTER_SAMPLED), 0);
	assert_int_equal(stub_count(&stashes), 0);
}

static void test_alloc_duplicate_that_fails_or_cannot_be_read_is_counted(void **state)
{
	(void)state;
	string_of(16);
	assert_true(duplicate());
	call_returns(0);
	assert_int_equal(counted(COUNTER_FAILED), 1);
	assert_true(duplicate());
	call_returns((uintptr_t)(&memory + 1));
	assert_int_equal(counted(COUNTER_LOST_STASH), 1);
	assert_no_event();
}

/* As where realloc of NULL jumps to malloc: the stack of both is the same, and one of them counts. */
static void test_alloc_call_that_is_passed_on_counts_once(void **state)
{
	(void)state;
	assert_true(call(CALL_RESIZE, 0, 100, 0));
	assert_false(call(CALL_PASSED, 0, 0, 0));
	assert_int_equal(counted(COUNTER_SAMPLED), 0);
	assert_int_equal(stub_count(&stashes), 0);
	assert_true(call(CALL_MALLOC, 100, 0, 0));
	call_returns(0x5000);
	assert_born(0x5000, 100);
	assert_int_equal(counted(COUNTER_SAMPLED), 1);
	assert_int_equal(counted(COUNTER_RETURN_MISSED), 0);
}

static void test_alloc_call_that_is_passed_on_gives_the_old_block_back(void **state)
{
	u64 object = born(0x5000, 100);

	(void)state;
	assert_true(call(CALL_RESIZE, 0x5000, 200, 0));
	next_event(EVENT_MOVED);
	assert_false(call(CALL_PASSED, 0, 0, 0));
	next_event(EVENT_REVIVED);
	assert_true(call(CALL_RESIZE, 0x5000, 200, 0));
	assert_int_equal(((const struct event_object *)next_event(EVENT_MOVED))->object, object);
	call_returns(0x6000);
	assert_born(0x6000, 200);
}

static void test_alloc_jump_without_a_call_is_nothing(void **state)
{
	(void)state;
	assert_false(call(CALL_PASSED, 0x5000, 0, 0));
	assert_no_event();
	assert_int_equal(counted(COUNTER_SAMPLED), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_alloc_array_resized_asks_for_the_product),
		TEST(test_alloc_array_that_overflows_keeps_the_old_one),
		TEST(test_alloc_duplicate_is_as_long_as_its_string),
		TEST(test_alloc_duplicate_is_sampled_by_its_length),
		TEST(test_alloc_duplicate_that_fails_or_cannot_be_read_is_counted),
		TEST(test_alloc_call_that_is_passed_on_counts_once),
		TEST(test_alloc_call_that_is_passed_on_gives_the_old_block_back),
		TEST(test_alloc_jump_without_a_call_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
