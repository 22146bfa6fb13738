/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc.bpf.c: functions of --alloc, which have no return leg: what their entries and their returns tell. */
#include "alloc_call.h"

static u64 sp;

/* True when it is waited for. */
static bool enters(enum call_kind kind, u64 one, u64 two)
{
	u32 waiting;

	at_entry(kind, one, two, 0);
	sp = regs.sp;
	waiting = stub_count(&stashes);
	assert_int_equal(alloc_pool(&regs), 0);
	return stub_count(&stashes) > waiting;
}

/* At its ret instruction. */
static void returns(u64 value)
{
	regs = (struct pt_regs){.ax = value, .ip = BASE + SITE + 50, .sp = sp};
	stub.func_ip = regs.ip;
	stub.cookie = cookie_make(CALL_RETURN, 0, 0, SCOPE, 0, 0);
	assert_int_equal(alloc_pool(&regs), 0);
}

static void test_pool_object_is_born_where_the_function_returns(void **state)
{
	(void)state;
	assert_true(enters(CALL_MALLOC, 100, 0));
	assert_no_event();
	returns(0x5000);
	assert_born(0x5000, 100);
	assert_int_equal(stub_count(&stashes), 0);
	returns(0x6000);
	assert_no_event();
}

static void test_pool_object_is_given_back(void **state)
{
	u64 object;

	(void)state;
	enters(CALL_MALLOC, 100, 0);
	returns(0x5000);
	object = assert_born(0x5000, 100);
	assert_false(enters(CALL_FREE, 0x5000, 0));
	assert_int_equal(((const struct event_object *)next_event(EVENT_FREE))->object, object);
}

static void test_pool_call_that_throws_has_failed(void **state)
{
	(void)state;
	assert_true(enters(CALL_MALLOC, 100, 0));
	assert_false(enters(CALL_MALLOC, 200, 0)); /* at the same place: in place of the other */
	returns(0x5000);
	assert_born(0x5000, 200);
	assert_int_equal(counted(COUNTER_SAMPLED), 2);
	assert_int_equal(counted(COUNTER_FAILED), 1);
	assert_int_equal(counted(COUNTER_RETURN_MISSED), 0);
}

/* What was asked for first must not become the size of what another call got. */
static void test_pool_call_that_is_not_sampled_ends_the_one_before(void **state)
{
	(void)state;
	assert_true(enters(CALL_MALLOC, 100, 0));
	config.sample_bytes = ~0U;
	enters(CALL_MALLOC, 1, 0);
	returns(0x5000);
	assert_no_event();
	assert_int_equal(stub_count(&stashes), 0);
	assert_int_equal(counted(COUNTER_FAILED), 1);
}

static void test_pool_resize_that_throws_leaves_the_old_alive(void **state)
{
	u64 object;

	(void)state;
	enters(CALL_MALLOC, 100, 0);
	returns(0x5000);
	object = assert_born(0x5000, 100);
	assert_true(enters(CALL_RESIZE, 0x5000, 200));
	next_event(EVENT_MOVED);
	enters(CALL_MALLOC, 50, 0);
	assert_int_equal(((const struct event_moved *)next_event(EVENT_REVIVED))->object, object);
	assert_int_equal(stub_count(&live), 1);
}

/* A coroutine may enter in one thread and return in another; other threads' calls at that moment are none of it. */
static void test_pool_call_may_return_in_another_thread(void **state)
{
	(void)state;
	assert_true(enters(CALL_MALLOC, 100, 0));
	stub.pid_tgid = (u64)PID << 32 | (PID + 1);
	returns(0x5000);
	assert_born(0x5000, 100);
}

static void test_pool_call_is_not_taken_for_another_processs(void **state)
{
	(void)state;
	assert_true(enters(CALL_MALLOC, 100, 0));
	stub.pid_tgid = (u64)(PID + 1) << 32 | PID;
	returns(0x5000);
	assert_no_event();
}

/* malloc entered at the same stack pointer, by a jump, waits for itself. */
static void test_pool_call_and_malloc_have_each_their_own_return(void **state)
{
	u64 place;

	(void)state;
	assert_true(enters(CALL_MALLOC, 100, 0));
	place = sp;
	assert_true(call(CALL_MALLOC, 200, 0, 0));
	call_returns(0x5000);
	assert_born(0x5000, 200);
	sp = place;
	returns(0x6000);
	assert_born(0x6000, 100);
}

static void test_pool_return_after_tracing_has_ended_still_counts(void **state)
{
	u32 number = SCOPE;

	(void)state;
	assert_true(enters(CALL_MALLOC, 100, 0));
	((struct scope *)bpf_map_lookup_elem(&scopes, &number))->process = 0;
	returns(0x5000);
	assert_born(0x5000, 100);
	assert_false(enters(CALL_MALLOC, 100, 0));
}

static void test_pool_stack_begins_in_the_caller(void **state)
{
	const struct event_stack *stack;

	(void)state;
	enters(CALL_MALLOC, 100, 0);
	returns(0x5000);
	stack = next_event(EVENT_STACK);
	assert_int_equal(stack->ip[0], CALLER);
}

/* Its returns are not known: counted at the entry. */
static bool enters_unseen(enum call_kind kind, u64 one, u64 two)
{
	at_entry(kind, one, two, 0);
	stub.cookie |= COOKIE_RETURN_UNSEEN;
	assert_int_equal(alloc_pool(&regs), 0);
	return stub_count(&stashes) > 0;
}

static void assert_unfollowed(u64 size)
{
	const struct event_alloc *event = next_event(EVENT_ALLOC);

	assert_int_equal(event->header.flags, EVENT_UNFOLLOWED);
	assert_int_equal(event->size, size);
}

static void test_pool_call_whose_return_is_unseen_is_counted_at_its_entry(void **state)
{
	(void)state;
	assert_false(enters_unseen(CALL_MALLOC, 100, 0));
	assert_unfollowed(100);
	assert_false(enters_unseen(CALL_RESIZE, 0, 300));
	assert_unfollowed(300);
	assert_int_equal(stub_count(&live), 0);
}

static void test_pool_resize_whose_return_is_unseen_ends_the_old(void **state)
{
	(void)state;
	enters(CALL_MALLOC, 100, 0);
	returns(0x5000);
	assert_born(0x5000, 100);
	assert_false(enters_unseen(CALL_RESIZE, 0x5000, 300));
	next_event(EVENT_MOVED);
	assert_unfollowed(300);
	assert_int_equal(stub_count(&live), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pool_object_is_born_where_the_function_returns),
		TEST(test_pool_object_is_given_back),
		TEST(test_pool_call_that_throws_has_failed),
		TEST(test_pool_call_that_is_not_sampled_ends_the_one_before),
		TEST(test_pool_resize_that_throws_leaves_the_old_alive),
		TEST(test_pool_call_may_return_in_another_thread),
		TEST(test_pool_call_is_not_taken_for_another_processs),
		TEST(test_pool_call_and_malloc_have_each_their_own_return),
		TEST(test_pool_return_after_tracing_has_ended_still_counts),
		TEST(test_pool_stack_begins_in_the_caller),
		TEST(test_pool_call_whose_return_is_unseen_is_counted_at_its_entry),
		TEST(test_pool_resize_whose_return_is_unseen_ends_the_old),
	};

	return cmocka_run_group_tests_name("alloc_pool", tests, NULL, NULL);
}
