/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alloc.bpf.c: what every kind of call counts, samples and tells, on its way in and on its way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "../../bpf/alloc.bpf.c"

#include "table.h"

#define PROCESS 6
#define SCOPE	2
#define PID	3000
#define SITE	0x1009
#define BASE	0x7f0000000000
#define CALLER	0x401500

static struct pt_regs regs;

/* All there is of user memory. */
static struct {
	u64 stack[2];	 /* the return address of the call, that of the caller, which is none */
	u64 out_pointer; /* posix_memalign's */
} user;

static int setup(void **state)
{
	struct scope scope = {.process = PROCESS, .pid = PID};
	u32 number = SCOPE;

	(void)state;
	stub_reset(1 << 20);
	stub.memory = (uintptr_t)&user;
	stub.memory_end = (uintptr_t)(&user + 1);
	stub.pid_tgid = (u64)PID << 32 | PID;
	config = (struct config){.sample_bytes = 1, .ring_half = 1 << 19, .tally_mask = TALLIES_MIN - 1};
	table_of_plain_code(&scope, PROCESS, CALLER & ~0xffffULL);
	bpf_map_update_elem(&scopes, &number, &scope, BPF_ANY);
	return 0;
}

static u64 counted(enum counter counter)
{
	u32 row = PROCESS;
	struct tally *tally = bpf_map_lookup_elem(&tallies, &row);

	return tally->count[counter];
}

/* The registers at the site of a call, and its cookie. */
static void at_entry(enum call_kind kind, u64 one, u64 two, u64 three)
{
	user.stack[0] = CALLER;
	regs = (struct pt_regs){.di = one, .si = two, .dx = three, .ip = BASE + SITE};
	regs.sp = (u64)(uintptr_t)user.stack;
	stub.func_ip = regs.ip;
	stub.cookie = cookie_make(kind, ARG_DI, ARG_SI, ARG_DX, SCOPE, 0, SITE);
}

/* True when the call wants its return leg. */
static bool call(enum call_kind kind, u64 one, u64 two, u64 three)
{
	at_entry(kind, one, two, three);
	return !alloc_session(&regs);
}

static void at_return(u64 value)
{
	regs.ax = value;
	regs.ip = CALLER;
	regs.sp += sizeof(u64);
}

static void call_returns(u64 value)
{
	at_return(value);
	assert_int_equal(alloc_session(&regs), 0);
}

static const void *next_event(enum event_kind kind)
{
	size_t size = 0;
	const struct event *event = stub_ring_next(&size);

	/* Whatever has a stack is preceded by it the first time. */
	if (event && event->kind == EVENT_STACK && kind != EVENT_STACK)
		event = stub_ring_next(&size);
	assert_non_null(event);
	assert_int_equal(event->kind, kind);
	assert_int_equal(event->process, PROCESS);
	return event;
}

static void assert_no_event(void)
{
	size_t size;

	assert_null(stub_ring_next(&size));
}

static u64 assert_born(u64 addr, u64 size)
{
	const struct event_alloc *event = next_event(EVENT_ALLOC);

	assert_int_equal(event->addr, addr);
	assert_int_equal(event->size, size);
	assert_int_equal(event->header.flags, 0);
	return event->object;
}

static u64 born(u64 addr, u64 size)
{
	assert_true(call(CALL_MALLOC, size, 0, 0));
	call_returns(addr);
	return assert_born(addr, size);
}

/* --- births
 * --------------------------------------------------------------------------------------------------------------- */

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

/* --- deaths
 * --------------------------------------------------------------------------------------------------------------- */

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

/* --- realloc
 * -------------------------------------------------------------------------------------------------------------- */

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

/* --- whose hit
 * ------------------------------------------------------------------------------------------------------------- */

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
	stub.cookie = cookie_make(CALL_MALLOC, ARG_DI, 0, 0, SCOPE_BY_PID, 0, SITE);
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
	stub.cookie = cookie_make(CALL_MALLOC, ARG_DI, 0, 0, SCOPE_BY_PID, 0, SITE);
	assert_int_equal(alloc_session(&regs), 1);
	assert_int_equal(counted(COUNTER_HITS_ALLOC), 0);
}

/* --- the other rungs, and --alloc-only
 * --------------------------------------------------------------------------------------- */

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

#define TEST(name) cmocka_unit_test_setup(name, setup)

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
		TEST(test_alloc_free_of_a_live_object_is_told_at_its_entry),
		TEST(test_alloc_free_of_an_unknown_address_counts_in_exact_mode_only),
		TEST(test_alloc_realloc_moves_the_old_and_bears_the_new),
		TEST(test_alloc_realloc_in_place_is_a_new_object_all_the_same),
		TEST(test_alloc_realloc_that_fails_revives_the_old),
		TEST(test_alloc_realloc_of_null_is_mallocs),
		TEST(test_alloc_realloc_to_nothing_is_a_free),
		TEST(test_alloc_realloc_unsampled_takes_the_leg_for_a_live_old_block_only),
		TEST(test_alloc_realloc_with_ring_full_dies_or_lives_by_its_result),
		TEST(test_alloc_process_not_begun_or_ended_is_ignored),
		TEST(test_alloc_hit_of_the_other_kind_of_link_is_ignored),
		TEST(test_alloc_unfiltered_hit_of_an_untraced_process_is_ignored),
		TEST(test_alloc_enter_and_return_programs_do_as_the_session_does),
		TEST(test_alloc_return_of_a_call_not_remembered_is_nothing),
		TEST(test_alloc_only_counts_births_and_follows_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
