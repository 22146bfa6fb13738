/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack.bpf.h: interning, the pool of scratch slots, and what is said when a stack has to be given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "../../bpf/stack.bpf.h"

#define PROCESS 3

static struct pt_regs regs;

static int setup(void **state)
{
	(void)state;
	stub_reset(1 << 20);
	config = (struct config){.sample_bytes = 1, .ring_half = 1 << 19, .tally_mask = TALLIES_MIN - 1};
	regs = (struct pt_regs){.ip = 0x401234};
	stub.depth = 3;
	stub.frames[0] = 0x401234;
	stub.frames[1] = 0x402000;
	stub.frames[2] = 0x403000;
	return 0;
}

static u64 counted(enum counter counter)
{
	u32 row = PROCESS;
	struct tally *tally = bpf_map_lookup_elem(&tallies, &row);

	return tally->count[counter];
}

/* The next event must be a stack of that many frames, as long as them and no longer. */
static const struct event_stack *next_stack(u32 depth)
{
	size_t size = 0;
	const struct event_stack *event = stub_ring_next(&size);

	assert_non_null(event);
	assert_int_equal(event->header.kind, EVENT_STACK);
	assert_int_equal(event->header.process, PROCESS);
	assert_int_equal(event->depth, depth);
	assert_int_equal(size, offsetof(struct event_stack, ip) + depth * sizeof(u64));
	assert_memory_equal(event->ip, stub.frames, depth * sizeof(u64));
	return event;
}

static void assert_no_event(void)
{
	size_t size;

	assert_null(stub_ring_next(&size));
}

static u32 claimed(void)
{
	u32 busy = 0;

	for (u32 i = 0; i < SCRATCHES_MAX; i++)
		busy += ((struct scratch *)bpf_map_lookup_elem(&scratches, &i))->busy;
	return busy;
}

static void test_stack_capture_first_time_sends_frames_under_its_hash(void **state)
{
	u64 hash;

	(void)state;
	hash = stack_capture(&regs, PROCESS);
	assert_true(hash != 0);
	assert_true(next_stack(3)->stack == hash);
	assert_no_event();
	assert_int_equal(claimed(), 0);
}

static void test_stack_capture_again_sends_the_hash_alone(void **state)
{
	u64 hash;

	(void)state;
	hash = stack_capture(&regs, PROCESS);
	next_stack(3);
	for (u32 i = 0; i < 10; i++)
		assert_true(stack_capture(&regs, PROCESS) == hash);
	assert_no_event();
}

static void test_stack_capture_other_process_sends_its_own(void **state)
{
	u64 hash;

	(void)state;
	hash = stack_capture(&regs, PROCESS + 1);
	assert_true(stack_capture(&regs, PROCESS) != hash);
	assert_int_equal(stub_count(&stacks_sent), 2);
}

static void test_stack_capture_unreadable_stack_is_the_caller_alone(void **state)
{
	(void)state;
	stub.stack_error = -EFAULT;
	assert_true(stack_capture(&regs, PROCESS) != 0);
	assert_int_equal(counted(COUNTER_STACK_EMPTY), 1);
	assert_int_equal(next_stack(1)->ip[0], 0x401234);
}

static void test_stack_capture_deepest_whole_stack_is_not_truncated(void **state)
{
	(void)state;
	for (u32 i = 0; i < STUB_FRAMES_MAX; i++)
		stub.frames[i] = 0x400000 + i;
	stub.depth = STACK_DEPTH_MAX - 1;
	stack_capture(&regs, PROCESS);
	assert_int_equal(next_stack(STACK_DEPTH_MAX - 1)->header.flags, 0);
	assert_int_equal(counted(COUNTER_STACK_TRUNCATED), 0);
}

static void test_stack_capture_deeper_than_the_limit_is_marked_truncated(void **state)
{
	(void)state;
	for (u32 i = 0; i < STUB_FRAMES_MAX; i++)
		stub.frames[i] = 0x400000 + i;
	stub.depth = STUB_FRAMES_MAX;
	stack_capture(&regs, PROCESS);
	assert_int_equal(next_stack(STACK_DEPTH_MAX + 1)->header.flags, EVENT_TRUNCATED);
	assert_int_equal(counted(COUNTER_STACK_TRUNCATED), 1);
}

static void test_stack_capture_ring_full_gives_up_and_does_not_mark_as_sent(void **state)
{
	(void)state;
	stub.ring_capacity = 16;
	assert_true(stack_capture(&regs, PROCESS) == 0);
	assert_int_equal(counted(COUNTER_STACK_LOST_RING), 1);
	assert_int_equal(stub_count(&stacks_sent), 0);
	assert_int_equal(claimed(), 0);
	stub.ring_capacity = 1 << 20;
	assert_true(stack_capture(&regs, PROCESS) != 0);
	next_stack(3);
}

static void test_stack_capture_map_of_sent_stacks_full_sends_again(void **state)
{
	u64 hash;

	(void)state;
	stub_limit(&stacks_sent, 0);
	hash = stack_capture(&regs, PROCESS);
	assert_true(hash != 0 && stack_capture(&regs, PROCESS) == hash);
	assert_int_equal(counted(COUNTER_STACK_RESENT), 2);
	next_stack(3);
	next_stack(3);
}

/* --- the pool
 * ------------------------------------------------------------------------------------------------------------ */

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
	assert_true(stack_capture(&regs, PROCESS) == 0);
	assert_int_equal(counted(COUNTER_STACK_LOST_SLOT), 1);
	assert_no_event();
}

/* --- the hash
 * ------------------------------------------------------------------------------------------------------------ */

static struct event_stack example;

static void test_stack_hash_depends_on_every_frame_the_depth_and_the_process(void **state)
{
	u64 hash;

	(void)state;
	for (u32 i = 0; i < STACK_DEPTH_MAX + 1; i++)
		example.ip[i] = 0x400000 + i;
	hash = stack_hash(&example, STACK_DEPTH_MAX + 1, PROCESS);
	assert_true(stack_hash(&example, STACK_DEPTH_MAX + 1, PROCESS) == hash);
	assert_true(stack_hash(&example, STACK_DEPTH_MAX, PROCESS) != hash);
	assert_true(stack_hash(&example, STACK_DEPTH_MAX + 1, PROCESS + 1) != hash);
	for (u32 i = 0; i < STACK_DEPTH_MAX + 1; i++) {
		example.ip[i] ^= 1;
		assert_true(stack_hash(&example, STACK_DEPTH_MAX + 1, PROCESS) != hash);
		example.ip[i] ^= 1;
	}
}

static void test_stack_hash_depends_on_the_order_of_frames(void **state)
{
	u64 hash;

	(void)state;
	example.ip[0] = 0x401000;
	example.ip[1] = 0x402000;
	hash = stack_hash(&example, 2, PROCESS);
	example.ip[0] = 0x402000;
	example.ip[1] = 0x401000;
	assert_true(stack_hash(&example, 2, PROCESS) != hash);
}

static void test_stack_hash_ignores_what_lies_beyond_the_depth(void **state)
{
	u64 hash;

	(void)state;
	example.ip[0] = 0x401000;
	example.ip[1] = 0x402000;
	hash = stack_hash(&example, 1, PROCESS);
	example.ip[1] = 0x999999;
	assert_true(stack_hash(&example, 1, PROCESS) == hash);
}

static int compare(const void *one, const void *two)
{
	const u64 *a = one, *b = two;

	return *a < *b ? -1 : *a > *b;
}

/* Stacks of like programs: few, near, aligned addresses. With 64 good bits two of 200 000 collide once in a thousand
 * million. */
static void test_stack_hash_similar_stacks_do_not_collide(void **state)
{
	enum {
		MANY = 200000
	};
	u64 *hashes = malloc(MANY * sizeof(*hashes));

	(void)state;
	for (u32 n = 0; n < MANY; n++) {
		example.ip[0] = 0x7f0000001000 + 16 * (n % 100);
		example.ip[1] = 0x7f0000002000 + 16 * (n / 100 % 100);
		example.ip[2] = 0x7f0000003000 + 16 * (n / 10000);
		hashes[n] = stack_hash(&example, 3, PROCESS);
	}
	qsort(hashes, MANY, sizeof(*hashes), compare);
	for (u32 n = 1; n < MANY; n++)
		assert_true(hashes[n] != hashes[n - 1]);
	free(hashes);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stack_capture_first_time_sends_frames_under_its_hash),
		TEST(test_stack_capture_again_sends_the_hash_alone),
		TEST(test_stack_capture_other_process_sends_its_own),
		TEST(test_stack_capture_unreadable_stack_is_the_caller_alone),
		TEST(test_stack_capture_deepest_whole_stack_is_not_truncated),
		TEST(test_stack_capture_deeper_than_the_limit_is_marked_truncated),
		TEST(test_stack_capture_ring_full_gives_up_and_does_not_mark_as_sent),
		TEST(test_stack_capture_map_of_sent_stacks_full_sends_again),
		TEST(test_scratch_claim_slots_are_never_shared_and_run_out),
		TEST(test_scratch_claim_every_cpu_finds_slots_of_its_own),
		TEST(test_scratch_claim_any_cpu_number_stays_within_the_pool),
		TEST(test_stack_capture_pool_exhausted_is_counted_and_gives_up),
		TEST(test_stack_hash_depends_on_every_frame_the_depth_and_the_process),
		TEST(test_stack_hash_depends_on_the_order_of_frames),
		TEST(test_stack_hash_ignores_what_lies_beyond_the_depth),
		TEST(test_stack_hash_similar_stacks_do_not_collide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
