/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc.bpf.c: what free and realloc count and send. */
#include "alloc_call.h"

/* --- deaths --- */

static void test_alloc_free_of_a_live_object_is_told_at_its_entry(void **state)
{
	u64 object = born(0x5000, 100);

	(void)state;
	assert_false(call(CALL_FREE, 0x5000, 0, 0));
	assert_int_equal(((const struct event_object *)next_event(EVENT_FREE))->object, object);
	assert_int_equal(counted(COUNTER_HITS_FREE), 1);
	assert_int_equal(counted(COUNTER_FREE_UNKNOWN), 0);
}

static void test_alloc_free_of_an_unknown_address_counts_in_exact_mode_only(void **state)
{
	(void)state;
	assert_false(call(CALL_FREE, 0x5000, 0, 0));
	assert_int_equal(counted(COUNTER_FREE_UNKNOWN), 1);
	assert_false(call(CALL_FREE, 0, 0, 0));
	assert_int_equal(counted(COUNTER_FREE_UNKNOWN), 1);
	config.sample_bytes = 2;
	assert_false(call(CALL_FREE, 0x5000, 0, 0));
	assert_int_equal(counted(COUNTER_FREE_UNKNOWN), 1);
	assert_int_equal(counted(COUNTER_HITS_FREE), 3);
	assert_no_event();
}

/* --- realloc --- */

static void test_alloc_realloc_moves_the_old_and_bears_the_new(void **state)
{
	u64 old = born(0x5000, 100), object;

	(void)state;
	assert_true(call(CALL_REALLOC, 0x5000, 300, 0));
	assert_int_equal(((const struct event_moved *)next_event(EVENT_MOVED))->object, old);
	call_returns(0x6000);
	object = assert_born(0x6000, 300);
	assert_true(object != old);
	assert_no_event();
	assert_int_equal(stub_count(&live), 1);
}

static void test_alloc_realloc_in_place_is_a_new_object_all_the_same(void **state)
{
	u64 old = born(0x5000, 100);

	(void)state;
	assert_true(call(CALL_REALLOC, 0x5000, 300, 0));
	next_event(EVENT_MOVED);
	call_returns(0x5000);
	assert_true(assert_born(0x5000, 300) != old);
	assert_int_equal(stub_count(&live), 1);
}

static void test_alloc_realloc_that_fails_revives_the_old(void **state)
{
	u64 old = born(0x5000, 100);

	(void)state;
	assert_true(call(CALL_REALLOC, 0x5000, 1ULL << 60, 0));
	next_event(EVENT_MOVED);
	call_returns(0);
	assert_int_equal(((const struct event_moved *)next_event(EVENT_REVIVED))->object, old);
	assert_int_equal(counted(COUNTER_FAILED), 1);
	assert_false(call(CALL_FREE, 0x5000, 0, 0));
	assert_int_equal(((const struct event_object *)next_event(EVENT_FREE))->object, old);
}

static void test_alloc_realloc_of_null_is_mallocs(void **state)
{
	(void)state;
	assert_false(call(CALL_REALLOC, 0, 100, 0));
	assert_int_equal(counted(COUNTER_SAMPLED), 0);
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 1);
}

static void test_alloc_realloc_to_nothing_is_a_free(void **state)
{
	u64 object = born(0x5000, 100);

	(void)state;
	assert_false(call(CALL_REALLOC, 0x5000, 0, 0));
	assert_int_equal(((const struct event_object *)next_event(EVENT_FREE))->object, object);
	assert_int_equal(counted(COUNTER_SAMPLED), 1);
	assert_no_event();
}

static void test_alloc_realloc_unsampled_takes_the_leg_for_a_live_old_block_only(void **state)
{
	(void)state;
	born(0x5000, 100);
	config.sample_bytes = 0xffffffff;
	stub.random = 1;
	assert_true(call(CALL_REALLOC, 0x5000, 1, 0));
	next_event(EVENT_MOVED);
	call_returns(0x6000);
	assert_no_event();
	assert_false(call(CALL_REALLOC, 0x6000, 1, 0));
	assert_int_equal(counted(COUNTER_SAMPLED), 1);
	assert_int_equal(stub_count(&live), 0);
}

static void test_alloc_realloc_with_ring_full_dies_or_lives_by_its_result(void **state)
{
	u64 one = born(0x5000, 100), two = born(0x6000, 100);
	struct live_key key = live_key(PROCESS, 0x5000);
	size_t capacity = stub.ring_capacity;

	(void)state;
	stub.ring_capacity = 8;
	assert_true(call(CALL_REALLOC, 0x5000, 300, 0));
	call_returns(0x7000);
	assert_true(*(u64 *)bpf_map_lookup_elem(&live, &key) == live_word(one, LIVE_DEAD));
	assert_true(call(CALL_REALLOC, 0x6000, 300, 0));
	call_returns(0);
	key.addr = 0x6000;
	assert_true(*(u64 *)bpf_map_lookup_elem(&live, &key) == live_word(two, LIVE_ALIVE));
	assert_int_equal(counted(COUNTER_FREE_DEFERRED), 2);
	assert_int_equal(counted(COUNTER_LOST_RING), 1);
	assert_int_equal(counted(COUNTER_FAILED), 1);
	stub.ring_capacity = capacity;
	assert_no_event();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_alloc_free_of_a_live_object_is_told_at_its_entry),
		TEST(test_alloc_free_of_an_unknown_address_counts_in_exact_mode_only),
		TEST(test_alloc_realloc_moves_the_old_and_bears_the_new),
		TEST(test_alloc_realloc_in_place_is_a_new_object_all_the_same),
		TEST(test_alloc_realloc_that_fails_revives_the_old),
		TEST(test_alloc_realloc_of_null_is_mallocs),
		TEST(test_alloc_realloc_to_nothing_is_a_free),
		TEST(test_alloc_realloc_unsampled_takes_the_leg_for_a_live_old_block_only),
		TEST(test_alloc_realloc_with_ring_full_dies_or_lives_by_its_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
