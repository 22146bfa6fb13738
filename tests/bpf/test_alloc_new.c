/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc.bpf.c: reallocs that handle NULL and size 0 themselves, and calls whose failure throws. */
#include "alloc_call.h"

/* --- realloc as everyone but glibc has it --- */

static void test_alloc_resize_of_null_is_an_allocation(void **state)
{
	(void)state;
	assert_true(call(CALL_RESIZE, 0, 100, 0));
	call_returns(0x5000);
	assert_born(0x5000, 100);
	assert_no_event();
}

static void test_alloc_resize_moves_the_old_and_bears_the_new(void **state)
{
	u64 object = born(0x5000, 100);

	(void)state;
	assert_true(call(CALL_RESIZE, 0x5000, 200, 0));
	assert_int_equal(((const struct event_moved *)next_event(EVENT_MOVED))->object, object);
	call_returns(0x6000);
	assert_born(0x6000, 200);
	assert_no_event();
}

static void test_alloc_resize_to_nothing_that_returns_a_block_is_a_new_object(void **state)
{
	(void)state;
	born(0x5000, 100);
	assert_true(call(CALL_RESIZE, 0x5000, 0, 0));
	next_event(EVENT_MOVED);
	call_returns(0x5000);
	assert_born(0x5000, 0);
}

static void test_alloc_resize_to_nothing_that_returns_null_has_freed(void **state)
{
	(void)state;
	born(0x5000, 100);
	assert_true(call(CALL_RESIZE, 0x5000, 0, 0));
	next_event(EVENT_MOVED);
	call_returns(0);
	assert_no_event();
	assert_int_equal(stub_count(&live), 0);
	assert_int_equal(counted(COUNTER_FAILED), 1);
	assert_int_equal(counted(COUNTER_SAMPLED), 2);
}

static void test_alloc_resize_that_fails_revives_the_old(void **state)
{
	u64 object = born(0x5000, 100);

	(void)state;
	assert_true(call(CALL_RESIZE, 0x5000, 1ULL << 60, 0));
	next_event(EVENT_MOVED);
	call_returns(0);
	assert_int_equal(((const struct event_moved *)next_event(EVENT_REVIVED))->object, object);
	assert_int_equal(stub_count(&live), 1);
}

/* --- operator new --- */

#define NEW_MAX (1U << 30)

static struct signal_struct limits;
static struct task_struct task = {.signal = &limits};

static int setup_new(void **state)
{
	u32 number = SCOPE;

	setup(state);
	for (unsigned int i = 0; i < 16; i++)
		limits.rlim[i].rlim_cur = ~0UL;
	stub.task = &task;
	((struct scope *)bpf_map_lookup_elem(&scopes, &number))->new_max = NEW_MAX;
	return 0;
}

static void assert_entry_only(enum call_kind kind, u64 one, u64 two, u64 size)
{
	const struct event_alloc *event;

	assert_false(call(kind, one, two, 0));
	event = next_event(EVENT_ALLOC);
	assert_int_equal(event->header.flags, EVENT_UNFOLLOWED);
	assert_int_equal(event->size, size);
	assert_no_event();
	assert_int_equal(stub_count(&live), 0);
	assert_int_equal(stub_count(&stashes), 0);
}

static void test_alloc_new_that_cannot_fail_is_told_at_its_return(void **state)
{
	(void)state;
	assert_true(call(CALL_NEW, NEW_MAX - 1, 0, 0));
	assert_no_event();
	call_returns(0x5000);
	assert_born(0x5000, NEW_MAX - 1);
	assert_true(call(CALL_NEW_ARRAY, 4, 25, 0));
	call_returns(0x6000);
	assert_born(0x6000, 100);
}

static void test_alloc_new_too_large_is_told_at_its_entry(void **state)
{
	(void)state;
	assert_entry_only(CALL_NEW, NEW_MAX, 0, NEW_MAX);
	assert_entry_only(CALL_NEW, (1ULL << 47) - 1, 0, (1ULL << 47) - 1);
	assert_entry_only(CALL_NEW_ARRAY, 1ULL << 30, 4, 1ULL << 32);
}

static void test_alloc_new_beyond_the_address_space_has_failed(void **state)
{
	(void)state;
	assert_false(call(CALL_NEW, 1ULL << 47, 0, 0));
	assert_false(call(CALL_NEW, 1ULL << 62, 0, 0));
	assert_no_event();
	assert_int_equal(counted(COUNTER_FAILED), 2);
	assert_int_equal(counted(COUNTER_SAMPLED), 2);
}

static void test_alloc_new_array_that_overflows_is_not_an_allocation(void **state)
{
	(void)state;
	assert_false(call(CALL_NEW_ARRAY, 1ULL << 40, 1ULL << 40, 0));
	assert_no_event();
	assert_int_equal(counted(COUNTER_SAMPLED), 0);
}

static void test_alloc_new_under_a_limit_is_told_at_its_entry(void **state)
{
	(void)state;
	limits.rlim[RLIMIT_AS].rlim_cur = 1ULL << 40;
	assert_entry_only(CALL_NEW, 100, 0, 100);
	limits.rlim[RLIMIT_AS].rlim_cur = ~0UL;
	limits.rlim[RLIMIT_DATA].rlim_cur = 1ULL << 40;
	assert_entry_only(CALL_NEW, 100, 0, 100);
}

/* The largest safe size is unknown: rungs with a leg for every call, or no overcommitment. */
static void test_alloc_new_of_unknown_limit_is_told_at_its_entry(void **state)
{
	u32 number = SCOPE;

	(void)state;
	((struct scope *)bpf_map_lookup_elem(&scopes, &number))->new_max = 0;
	assert_entry_only(CALL_NEW, 100, 0, 100);
	assert_entry_only(CALL_NEW, 0, 0, 0);
}

/* The stack of an entry is that of the return: it begins in the caller. */
static void test_alloc_new_at_its_entry_has_its_callers_stack(void **state)
{
	const struct event_stack *stack;
	size_t size;
	u32 number = SCOPE;

	(void)state;
	((struct scope *)bpf_map_lookup_elem(&scopes, &number))->new_max = 0;
	assert_false(call(CALL_NEW, 100, 0, 0));
	stack = stub_ring_next(&size);
	assert_non_null(stack);
	assert_int_equal(stack->header.kind, EVENT_STACK);
	assert_true(stack->depth >= 1);
	assert_int_equal(stack->ip[0], CALLER);
}

#define NEW_TEST(name) cmocka_unit_test_setup(name, setup_new)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_alloc_resize_of_null_is_an_allocation),
		TEST(test_alloc_resize_moves_the_old_and_bears_the_new),
		TEST(test_alloc_resize_to_nothing_that_returns_a_block_is_a_new_object),
		TEST(test_alloc_resize_to_nothing_that_returns_null_has_freed),
		TEST(test_alloc_resize_that_fails_revives_the_old),
		NEW_TEST(test_alloc_new_that_cannot_fail_is_told_at_its_return),
		NEW_TEST(test_alloc_new_too_large_is_told_at_its_entry),
		NEW_TEST(test_alloc_new_beyond_the_address_space_has_failed),
		NEW_TEST(test_alloc_new_array_that_overflows_is_not_an_allocation),
		NEW_TEST(test_alloc_new_under_a_limit_is_told_at_its_entry),
		NEW_TEST(test_alloc_new_of_unknown_limit_is_told_at_its_entry),
		NEW_TEST(test_alloc_new_at_its_entry_has_its_callers_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
