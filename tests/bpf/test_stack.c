/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack.bpf.h: interning, the pool of scratch slots, and what is counted when a stack is lost. */
#include "stack_capture.h"

static void test_stack_capture_first_time_sends_frames_under_its_hash(void **state)
{
	u64 hash;

	(void)state;
	hash = capture(PROCESS);
	assert_true(hash != 0);
	assert_true(next_stack(3)->stack == hash);
	assert_no_event();
	assert_int_equal(claimed(), 0);
}

static void test_stack_capture_again_sends_the_hash_alone(void **state)
{
	u64 hash;

	(void)state;
	hash = capture(PROCESS);
	next_stack(3);
	for (u32 i = 0; i < 10; i++)
		assert_true(capture(PROCESS) == hash);
	assert_no_event();
}

static void test_stack_capture_other_process_sends_its_own(void **state)
{
	u64 hash;

	(void)state;
	hash = capture(PROCESS + 1);
	assert_true(capture(PROCESS) != hash);
	assert_int_equal(stub_count(&stacks_sent), 2);
}

static void test_stack_capture_whole_stack_says_so(void **state)
{
	(void)state;
	capture(PROCESS);
	assert_int_equal(next_stack(3)->end, UNWIND_COMPLETE);
	for (u32 i = COUNTER_STACK_TRUNCATED; i <= COUNTER_STACK_RESENT; i++)
		assert_int_equal(counted(i), 0);
}

static void test_stack_capture_deepest_whole_stack_is_not_truncated(void **state)
{
	const struct event_stack *event;

	(void)state;
	set_depth(STACK_DEPTH_MAX);
	capture(PROCESS);
	event = next_stack(STACK_DEPTH_MAX);
	assert_int_equal(event->header.flags, 0);
	assert_int_equal(event->end, UNWIND_COMPLETE);
	assert_int_equal(counted(COUNTER_STACK_TRUNCATED), 0);
}

static void assert_ends(enum unwind_end end, u32 depth, enum counter counter)
{
	for (u32 i = 1; i <= 3; i++) {
		assert_true(capture(PROCESS) != 0);
		assert_int_equal(counted(counter), i);
	}
	assert_int_equal(next_stack(depth)->end, end);
	assert_no_event();
	assert_int_equal(claimed(), 0);
}

static void test_stack_capture_deeper_than_the_limit_keeps_leaf_and_root(void **state)
{
	u32 count = 0;

	(void)state;
	for (u32 depth = STACK_DEPTH_MAX + 1; depth <= STACK_WALK_MAX; depth += depth < 160 ? 1 : 108) {
		set_depth(depth);
		capture(PROCESS);
		assert_int_equal(next_stack(STACK_DEPTH_MAX)->end, UNWIND_TRUNCATED);
		capture(PROCESS);
		count += 2;
		assert_int_equal(counted(COUNTER_STACK_TRUNCATED), count);
	}
	assert_int_equal(count, 2 * (32 + 8));
}

static void test_stack_capture_too_deep_for_its_root_keeps_the_leaf(void **state)
{
	(void)state;
	set_depth(STACK_WALK_MAX + 1);
	assert_ends(UNWIND_TOO_DEEP, STACK_LEAF_MAX + 1, COUNTER_STACK_TOO_DEEP);
	assert_int_equal(counted(COUNTER_STACK_TRUNCATED), 0);
}

/* Nothing says then which of the frames to show beside those at the leaf. */
static void test_stack_capture_deep_and_broken_keeps_the_leaf_and_its_reason(void **state)
{
	(void)state;
	set_depth(500);
	memory[299] = CODE + 0x20010;
	table_map(0, (struct unwind_mapping){.start = CODE, .end = CODE + 0x10000, .table = 1});
	table_map(1, (struct unwind_mapping){
			     .start = CODE + 0x20000, .end = CODE + 0x30000, .flags = UNWIND_MAPPING_NO_TABLE});
	scope.mappings = 2;
	assert_ends(UNWIND_NO_RULE, STACK_LEAF_MAX + 1, COUNTER_STACK_NO_RULE);
}

/* A recursion that is as deep as that, from a root of its own. */
static u64 capture_recursion(u32 depth, u64 root)
{
	memset(memory, 0, sizeof(memory));
	for (u32 i = 0; i < depth; i++)
		memory[i] = frame_address(1);
	memory[depth] = root;
	return capture(PROCESS);
}

static void test_stack_capture_stacks_that_differ_in_what_is_left_out_are_the_same(void **state)
{
	u64 hash, whole;

	(void)state;
	hash = capture_recursion(STACK_DEPTH_MAX - 1, frame_address(2));
	whole = capture_recursion(STACK_DEPTH_MAX - 2, frame_address(2));
	for (u32 depth = STACK_DEPTH_MAX - 1; depth < STACK_WALK_MAX - 1; depth++)
		assert_true(capture_recursion(depth, frame_address(2)) == hash);
	assert_true(hash != whole);
	assert_true(capture_recursion(STACK_DEPTH_MAX, frame_address(3)) != hash);
}

/* --- stacks that end early --- */

static void test_stack_capture_unreadable_is_counted_every_time(void **state)
{
	(void)state;
	regs.sp = 8;
	assert_ends(UNWIND_UNREADABLE, 1, COUNTER_STACK_UNREADABLE);
}

static void check_shown(u32 depth, enum unwind_end end)
{
	const struct stash stash = {.process = PROCESS, .site = 0x1235};
	const struct event_stack *event;
	size_t size;

	stack_capture(&regs, &stash, &scope);
	event = stub_ring_next(&size);
	assert_non_null(event);
	assert_int_equal(event->depth, depth);
	assert_int_equal(event->end, end);
	assert_int_equal(event->ip[0], 0x1235);
	assert_memory_equal(event->ip + 1, expected, (depth - 1) * sizeof(expected[0]));
}

/* The allocator's own frame comes first if requested; then one frame less of the others fits. */
static void test_stack_capture_with_the_allocator_shown_begins_in_it(void **state)
{
	(void)state;
	scope.mappings_process = PROCESS;
	check_shown(4, UNWIND_COMPLETE);
	set_depth(STACK_DEPTH_MAX - 1);
	check_shown(STACK_DEPTH_MAX, UNWIND_COMPLETE);
	set_depth(STACK_DEPTH_MAX);
	expected[STACK_LEAF_MAX - 1] = STACK_LEFT_OUT;
	memmove(expected + STACK_LEAF_MAX, expected + STACK_LEAF_MAX + 1, (STACK_ROOT_MAX - 1) * sizeof(expected[0]));
	check_shown(STACK_DEPTH_MAX, UNWIND_TRUNCATED);
}

static void test_stack_capture_without_a_rule_is_counted_every_time(void **state)
{
	(void)state;
	table_rule(1, (struct unwind_rule){.cfa = CFA_UNKNOWN});
	assert_ends(UNWIND_NO_RULE, 1, COUNTER_STACK_NO_RULE);
}

static void test_stack_capture_corrupt_is_counted_every_time(void **state)
{
	(void)state;
	regs.bp = regs.sp;
	memory[0] = CODE + 0x1010;
	table_rule(1, (struct unwind_rule){.cfa = CFA_BP, .offset = 8});
	assert_ends(UNWIND_STUCK, 2, COUNTER_STACK_STUCK);
}

static void test_stack_capture_by_frame_pointer_is_counted_once_a_stack(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	memory[0] = (uintptr_t)&memory[4];
	memory[1] = expected[1];
	memory[5] = expected[2];
	stub.calls = CODE;
	stub.calls_end = CODE + 0x10000;
	regs.bp = regs.sp;
	table_map(0, (struct unwind_mapping){.start = CODE, .end = CODE + 0x10000, .flags = UNWIND_MAPPING_NO_TABLE});
	capture(PROCESS);
	assert_int_equal(next_stack(3)->end, UNWIND_NO_RULE);
	assert_int_equal(counted(COUNTER_STACK_FRAME_POINTER), 1);
	assert_int_equal(counted(COUNTER_STACK_NO_RULE), 1);
}

/* --- given up, sent again --- */

static void test_stack_capture_ring_full_gives_up_and_does_not_mark_as_sent(void **state)
{
	(void)state;
	stub.ring_capacity = 16;
	assert_true(capture(PROCESS) == 0);
	assert_int_equal(counted(COUNTER_STACK_LOST_RING), 1);
	assert_int_equal(stub_count(&stacks_sent), 0);
	assert_int_equal(claimed(), 0);
	stub.ring_capacity = 1 << 20;
	assert_true(capture(PROCESS) != 0);
	next_stack(3);
}

static void test_stack_capture_map_of_sent_stacks_full_sends_again(void **state)
{
	u64 hash;

	(void)state;
	stub_limit(&stacks_sent, 0);
	hash = capture(PROCESS);
	assert_true(hash != 0 && capture(PROCESS) == hash);
	assert_int_equal(counted(COUNTER_STACK_RESENT), 2);
	next_stack(3);
	next_stack(3);
}

/* --- the pool --- */

static void test_scratch_claim_slots_are_never_shared_and_run_out(void **state)
{
	struct scratch *slot[SCRATCH_TRIES];

	(void)state;
	for (u32 i = 0; i < SCRATCH_TRIES; i++) {
		slot[i] = scratch_claim();
		assert_non_null(slot[i]);
		for (u32 j = 0; j < i; j++)
			assert_ptr_not_equal(slot[i], slot[j]);
	}
	assert_null(scratch_claim());
	scratch_return(slot[2]);
	assert_ptr_equal(scratch_claim(), slot[2]);
}

static void test_scratch_claim_every_cpu_finds_slots_of_its_own(void **state)
{
	(void)state;
	for (stub.cpu = 0; stub.cpu < SCRATCHES_MAX / SCRATCH_TRIES; stub.cpu++)
		for (u32 i = 0; i < SCRATCH_TRIES; i++)
			assert_non_null(scratch_claim());
	assert_int_equal(claimed(), SCRATCHES_MAX);
}

static void test_scratch_claim_any_cpu_number_stays_within_the_pool(void **state)
{
	(void)state;
	for (stub.cpu = 0; stub.cpu < 5000; stub.cpu++)
		scratch_return(scratch_claim());
	assert_int_equal(claimed(), 0);
}

static void test_stack_capture_pool_exhausted_is_counted_and_gives_up(void **state)
{
	(void)state;
	for (u32 i = 0; i < SCRATCH_TRIES; i++)
		scratch_claim();
	assert_true(capture(PROCESS) == 0);
	assert_int_equal(counted(COUNTER_STACK_LOST_SLOT), 1);
	assert_no_event();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stack_capture_first_time_sends_frames_under_its_hash),
		TEST(test_stack_capture_again_sends_the_hash_alone),
		TEST(test_stack_capture_other_process_sends_its_own),
		TEST(test_stack_capture_whole_stack_says_so),
		TEST(test_stack_capture_deepest_whole_stack_is_not_truncated),
		TEST(test_stack_capture_deeper_than_the_limit_keeps_leaf_and_root),
		TEST(test_stack_capture_too_deep_for_its_root_keeps_the_leaf),
		TEST(test_stack_capture_deep_and_broken_keeps_the_leaf_and_its_reason),
		TEST(test_stack_capture_stacks_that_differ_in_what_is_left_out_are_the_same),
		TEST(test_stack_capture_unreadable_is_counted_every_time),
		TEST(test_stack_capture_with_the_allocator_shown_begins_in_it),
		TEST(test_stack_capture_without_a_rule_is_counted_every_time),
		TEST(test_stack_capture_corrupt_is_counted_every_time),
		TEST(test_stack_capture_by_frame_pointer_is_counted_once_a_stack),
		TEST(test_stack_capture_ring_full_gives_up_and_does_not_mark_as_sent),
		TEST(test_stack_capture_map_of_sent_stacks_full_sends_again),
		TEST(test_scratch_claim_slots_are_never_shared_and_run_out),
		TEST(test_scratch_claim_every_cpu_finds_slots_of_its_own),
		TEST(test_scratch_claim_any_cpu_number_stays_within_the_pool),
		TEST(test_stack_capture_pool_exhausted_is_counted_and_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
