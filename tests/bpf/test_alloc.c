/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc.bpf.c: what every kind of allocation counts, samples and sends, at its entry and at its return. */
#include "alloc_call.h"

/* --- births --- */

static void test_alloc_malloc_is_told_at_its_return(void **state)
{
	(void)state;
	assert_true(call(CALL_MALLOC, 100, 0, 0));
	assert_no_event();
	call_returns(0x5000);
	assert_born(0x5000, 100);
	assert_no_event();
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 1);
	assert_int_equal(counted(COUNTER_SAMPLED), 1);
	assert_int_equal(stub_count(&stashes), 0);
}

static void test_alloc_malloc_of_nothing_is_an_allocation(void **state)
{
	(void)state;
	assert_true(call(CALL_MALLOC, 0, 0, 0));
	call_returns(0x5000);
	assert_born(0x5000, 0);
}

static void test_alloc_malloc_that_fails_is_counted(void **state)
{
	(void)state;
	assert_true(call(CALL_MALLOC, 1ULL << 60, 0, 0));
	call_returns(0);
	assert_no_event();
	assert_int_equal(counted(COUNTER_FAILED), 1);
	assert_int_equal(stub_count(&live), 0);
}

static void test_alloc_malloc_unsampled_takes_no_return_leg(void **state)
{
	u32 legs = 0;

	(void)state;
	config.sample_bytes = 1 << 20;
	for (u32 i = 0; i < 1000; i++)
		legs += call(CALL_MALLOC, 16, 0, 0);
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 1000);
	assert_int_equal(counted(COUNTER_SAMPLED), legs);
	assert_true(legs < 10);
}

static void test_alloc_calloc_size_is_the_product(void **state)
{
	(void)state;
	assert_true(call(CALL_CALLOC, 25, 4, 0));
	call_returns(0x5000);
	assert_born(0x5000, 100);
	assert_true(call(CALL_CALLOC, 0, 1ULL << 40, 0));
	call_returns(0x6000);
	assert_born(0x6000, 0);
	assert_true(call(CALL_CALLOC, 1ULL << 40, 0, 0));
	call_returns(0x7000);
	assert_born(0x7000, 0);
}

static void test_alloc_calloc_overflow_is_no_allocation(void **state)
{
	(void)state;
	assert_false(call(CALL_CALLOC, 1ULL << 32, 1ULL << 32, 0));
	assert_false(call(CALL_CALLOC, UINT64_MAX, 2, 0));
	assert_false(call(CALL_CALLOC, 3, UINT64_MAX / 3 + 1, 0));
	assert_int_equal(counted(COUNTER_SAMPLED), 0);
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 3);
}

static void test_alloc_calloc_just_below_overflow_is_one(void **state)
{
	(void)state;
	assert_true(call(CALL_CALLOC, 3, UINT64_MAX / 3, 0));
	assert_true(call(CALL_CALLOC, UINT64_MAX, 1, 0));
	assert_true(call(CALL_CALLOC, (1ULL << 32) - 1, (1ULL << 32) + 1, 0));
	assert_true(call(CALL_CALLOC, 1ULL << 32, (1ULL << 32) - 1, 0));
	assert_int_equal(counted(COUNTER_SAMPLED), 4);
}

static void test_alloc_aligned_up_to_16_is_mallocs(void **state)
{
	(void)state;
	assert_false(call(CALL_ALIGNED, 8, 100, 0));
	assert_false(call(CALL_ALIGNED, 15, 100, 0));
	assert_false(call(CALL_ALIGNED, 16, 100, 0));
	assert_int_equal(counted(COUNTER_SAMPLED), 0);
	assert_true(call(CALL_ALIGNED, 17, 100, 0));
	call_returns(0x5000);
	assert_born(0x5000, 100);
}

static void test_alloc_posix_memalign_address_comes_through_its_pointer(void **state)
{
	(void)state;
	assert_true(call(CALL_POSIX_MEMALIGN, (u64)(uintptr_t)&user.out_pointer, 64, 100));
	user.out_pointer = 0x5000;
	call_returns(0);
	assert_born(0x5000, 100);
}

static void test_alloc_posix_memalign_that_fails_is_counted(void **state)
{
	(void)state;
	user.out_pointer = 0x5000;
	assert_true(call(CALL_POSIX_MEMALIGN, (u64)(uintptr_t)&user.out_pointer, 64, 100));
	call_returns(12);
	assert_no_event();
	assert_int_equal(counted(COUNTER_FAILED), 1);
}

static void test_alloc_posix_memalign_status_is_an_int(void **state)
{
	(void)state;
	user.out_pointer = 0x5000;
	assert_true(call(CALL_POSIX_MEMALIGN, (u64)(uintptr_t)&user.out_pointer, 64, 100));
	call_returns(0xdead00000000);
	assert_born(0x5000, 100);
}

static void test_alloc_posix_memalign_unreadable_result_is_a_failure(void **state)
{
	(void)state;
	assert_true(call(CALL_POSIX_MEMALIGN, 8, 64, 100));
	call_returns(0);
	assert_no_event();
	assert_int_equal(counted(COUNTER_FAILED), 1);
}

static void test_alloc_nested_call_is_the_outer_ones(void **state)
{
	struct ranges ranges = {.count = 1, .range = {{0x1000, 0x2000}}};
	u32 allocator = 0;

	(void)state;
	bpf_map_update_elem(&allocator_ranges, &allocator, &ranges, BPF_ANY);
	at_entry(CALL_MALLOC, 100, 0, 0);
	user.stack[0] = BASE + 0x1500;
	assert_int_equal(alloc_session(&regs), 1);
	assert_int_equal(counted(COUNTER_SAMPLED), 0);
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 1);
}

static void test_alloc_full_stash_loses_the_sample_and_the_leg(void **state)
{
	(void)state;
	stub_limit(&stashes, 0);
	assert_false(call(CALL_MALLOC, 100, 0, 0));
	assert_int_equal(counted(COUNTER_SAMPLED), 1);
	assert_int_equal(counted(COUNTER_LOST_STASH), 1);
}

/* --- which process a hit belongs to --- */

static void test_alloc_process_not_begun_or_ended_is_ignored(void **state)
{
	u32 number = SCOPE;

	(void)state;
	((struct scope *)bpf_map_lookup_elem(&scopes, &number))->process = 0;
	assert_false(call(CALL_MALLOC, 100, 0, 0));
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 0);
}

static void test_alloc_hit_of_the_other_kind_of_link_is_ignored(void **state)
{
	u32 number = SCOPE, pid = PID;

	(void)state;
	bpf_map_update_elem(&scope_by_pid, &pid, &number, BPF_ANY);
	at_entry(CALL_MALLOC, 100, 0, 0);
	stub.cookie = cookie_make(CALL_MALLOC, ARG_DI, 0, SCOPE_BY_PID, 0, SITE);
	assert_int_equal(alloc_session(&regs), 1);
	((struct scope *)bpf_map_lookup_elem(&scopes, &number))->wide = 1;
	assert_int_equal(alloc_session(&regs), 0);
	assert_false(call(CALL_MALLOC, 100, 0, 0));
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 1);
}

static void test_alloc_unfiltered_hit_of_an_untraced_process_is_ignored(void **state)
{
	(void)state;
	at_entry(CALL_MALLOC, 100, 0, 0);
	stub.cookie = cookie_make(CALL_MALLOC, ARG_DI, 0, SCOPE_BY_PID, 0, SITE);
	assert_int_equal(alloc_session(&regs), 1);
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 0);
}

/* --- the other rungs, and --alloc-only --- */

static void test_alloc_enter_and_return_programs_do_as_the_session_does(void **state)
{
	(void)state;
	at_entry(CALL_MALLOC, 100, 0, 0);
	assert_int_equal(alloc_enter(&regs), 0);
	at_return(0x5000);
	assert_int_equal(alloc_return(&regs), 0);
	assert_born(0x5000, 100);
}

static void test_alloc_return_of_a_call_not_remembered_is_nothing(void **state)
{
	(void)state;
	at_entry(CALL_MALLOC, 100, 0, 0);
	at_return(0x5000);
	alloc_return(&regs);
	assert_no_event();
	assert_int_equal(stub_count(&live), 0);
}

static void test_alloc_only_counts_births_and_follows_nothing(void **state)
{
	(void)state;
	config.alloc_only = 1;
	assert_true(call(CALL_MALLOC, 100, 0, 0));
	call_returns(0x5000);
	assert_int_equal(((const struct event *)next_event(EVENT_ALLOC))->flags, EVENT_UNFOLLOWED);
	assert_true(call(CALL_REALLOC, 0x5000, 300, 0));
	call_returns(0x5000);
	assert_int_equal(((const struct event *)next_event(EVENT_ALLOC))->flags, EVENT_UNFOLLOWED);
	assert_false(call(CALL_REALLOC, 0x5000, 0, 0));
	assert_no_event();
	assert_int_equal(stub_count(&live), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_alloc_malloc_is_told_at_its_return),
		TEST(test_alloc_malloc_of_nothing_is_an_allocation),
		TEST(test_alloc_malloc_that_fails_is_counted),
		TEST(test_alloc_malloc_unsampled_takes_no_return_leg),
		TEST(test_alloc_calloc_size_is_the_product),
		TEST(test_alloc_calloc_overflow_is_no_allocation),
		TEST(test_alloc_calloc_just_below_overflow_is_one),
		TEST(test_alloc_aligned_up_to_16_is_mallocs),
		TEST(test_alloc_posix_memalign_address_comes_through_its_pointer),
		TEST(test_alloc_posix_memalign_that_fails_is_counted),
		TEST(test_alloc_posix_memalign_status_is_an_int),
		TEST(test_alloc_posix_memalign_unreadable_result_is_a_failure),
		TEST(test_alloc_nested_call_is_the_outer_ones),
		TEST(test_alloc_full_stash_loses_the_sample_and_the_leg),
		TEST(test_alloc_process_not_begun_or_ended_is_ignored),
		TEST(test_alloc_hit_of_the_other_kind_of_link_is_ignored),
		TEST(test_alloc_unfiltered_hit_of_an_untraced_process_is_ignored),
		TEST(test_alloc_enter_and_return_programs_do_as_the_session_does),
		TEST(test_alloc_return_of_a_call_not_remembered_is_nothing),
		TEST(test_alloc_only_counts_births_and_follows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
