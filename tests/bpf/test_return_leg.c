/* SPDX-License-Identifier: GPL-2.0-or-later */
/* return_leg.bpf.h: no call takes a return leg that would cost another call its own. */
#include "alloc_call.h"

static struct return_instance oldest, youngest = {.next = &oldest};
static struct uprobe_task probes;
static struct task_struct task = {.utask = &probes};

static int setup_pending(void **state)
{
	setup(state);
	oldest.stack = (u64)(uintptr_t)user.stack + 4096;
	probes.return_instances = NULL;
	stub.task = &task;
	return 0;
}

/* A call is pending whose return address is `above` bytes above that of the next. */
static void pending(s64 above)
{
	youngest.stack = (u64)(uintptr_t)user.stack + (u64)above;
	probes.return_instances = &youngest;
}

static void assert_counted_at_entry(enum call_kind kind, u64 one, u64 two, u64 size)
{
	const struct event_alloc *event;

	assert_false(call(kind, one, two, 0));
	event = next_event(EVENT_ALLOC);
	assert_int_equal(event->header.flags, EVENT_UNFOLLOWED);
	assert_int_equal(event->size, size);
	assert_int_equal(stub_count(&stashes), 0);
}

static void test_leg_is_taken_below_a_pending_one(void **state)
{
	(void)state;
	pending(64);
	assert_true(call(CALL_MALLOC, 100, 0, 0));
	call_returns(0x5000);
	assert_born(0x5000, 100);
}

static void test_leg_is_not_taken_above_a_pending_one(void **state)
{
	(void)state;
	pending(-4096);
	assert_counted_at_entry(CALL_MALLOC, 100, 0, 100);
	assert_counted_at_entry(CALL_CALLOC, 10, 20, 200);
	assert_counted_at_entry(CALL_RESIZE, 0, 300, 300);
}

/* realloc of NULL jumps to malloc, with its own leg pending: the kernel chains them. */
static void test_leg_is_taken_at_the_place_of_a_pending_one(void **state)
{
	(void)state;
	pending(0);
	assert_true(call(CALL_MALLOC, 100, 0, 0));
	call_returns(0x5000);
	assert_born(0x5000, 100);
}

static void test_leg_is_taken_when_none_is_pending(void **state)
{
	(void)state;
	assert_true(call(CALL_MALLOC, 100, 0, 0));
}

/* Whether it was resized cannot be seen: hardly any fails. */
static void test_realloc_above_a_pending_leg_ends_the_old_block(void **state)
{
	(void)state;
	born(0x5000, 100);
	pending(-4096);
	assert_false(call(CALL_REALLOC, 0x5000, 200, 0));
	next_event(EVENT_MOVED);
	assert_int_equal(((const struct event_alloc *)next_event(EVENT_ALLOC))->header.flags, EVENT_UNFOLLOWED);
	assert_no_event();
	assert_int_equal(stub_count(&live), 0);
}

static void test_unsampled_realloc_above_a_pending_leg_only_ends_the_old_block(void **state)
{
	(void)state;
	born(0x5000, 100);
	pending(-4096);
	config.sample_bytes = ~0U;
	assert_false(call(CALL_REALLOC, 0x5000, 1, 0));
	next_event(EVENT_MOVED);
	assert_no_event();
	assert_int_equal(stub_count(&live), 0);
}

#define TEST_PENDING(name) cmocka_unit_test_setup(name, setup_pending)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_PENDING(test_leg_is_taken_below_a_pending_one),
		TEST_PENDING(test_leg_is_not_taken_above_a_pending_one),
		TEST_PENDING(test_leg_is_taken_at_the_place_of_a_pending_one),
		TEST_PENDING(test_leg_is_taken_when_none_is_pending),
		TEST_PENDING(test_realloc_above_a_pending_leg_ends_the_old_block),
		TEST_PENDING(test_unsampled_realloc_above_a_pending_leg_only_ends_the_old_block),
	};

	return cmocka_run_group_tests_name("return_leg", tests, NULL, NULL);
}
