/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack.bpf.h: interning, the pool of scratch slots, and what is said when a stack has to be given up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "../../bpf/stack.bpf.h"

#include "table.h"

#define PROCESS	   3
#define CODE	   0x400000
#define PAGE_BYTES 4096

static struct pt_regs regs;
static struct scope scope;
static struct task_struct task;
static u64 expected[STACK_DEPTH_MAX];

/* User memory, from regs.sp on. */
static _Alignas(PAGE_BYTES) u64 memory[16 * PAGE_BYTES / sizeof(u64)];

/* Make up a stack of that many frames. */
static void set_depth(u32 depth)
{
	memset(memory, 0, sizeof(memory));
	for (u32 i = 0; i < depth; i++) {
		u64 ip = CODE + 0x1000 + 16 * i;

		if (i < STACK_DEPTH_MAX)
			expected[i] = ip;
		if (i)
			memory[i - 1] = ip;
	}
}

static int setup(void **state)
{
	(void)state;
	stub_reset(1 << 20);
	config = (struct config){.sample_bytes = 1, .ring_half = 1 << 19, .tally_mask = TALLIES_MIN - 1};
	stub.task = &task;
	stub.memory = (uintptr_t)memory;
	stub.memory_end = (uintptr_t)memory + sizeof(memory);
	scope = (struct scope){.process = PROCESS};
	table_of_plain_code(&scope, PROCESS, CODE);
	regs = (struct pt_regs){.ip = CODE + 0x1000, .sp = (uintptr_t)memory, .bp = 0x1234};
	set_depth(3);
	return 0;
}

static u64 counted(enum counter counter)
{
	u32 row = PROCESS;
	struct tally *tally = bpf_map_lookup_elem(&tallies, &row);

	return tally->count[counter];
}

static u64 capture(u32 process)
{
	scope.mappings_process = process;
	return stack_capture(&regs, process, &scope);
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
	assert_memory_equal(event->ip, expected, depth * sizeof(u64));
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

static void test_stack_capture_deeper_than_the_limit_is_marked_truncated(void **state)
{
	const struct event_stack *event;

	(void)state;
	set_depth(STACK_DEPTH_MAX + 1);
	capture(PROCESS);
	event = next_stack(STACK_DEPTH_MAX);
	assert_int_equal(event->header.flags, EVENT_TRUNCATED);
	assert_int_equal(event->end, UNWIND_TRUNCATED);
	capture(PROCESS);
	assert_int_equal(counted(COUNTER_STACK_TRUNCATED), 2);
}

/* --- stacks that end early
 * ------------------------------------------------------------------------------------------------------------ */

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

static void test_stack_capture_unreadable_is_counted_every_time(void **state)
{
	(void)state;
	regs.sp = 8;
	assert_ends(UNWIND_UNREADABLE, 1, COUNTER_STACK_UNREADABLE);
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
	regs.bp = regs.sp;
	table_map(0, (struct unwind_mapping){.start = CODE, .end = CODE + 0x10000, .flags = UNWIND_MAPPING_NO_TABLE});
	capture(PROCESS);
	assert_int_equal(next_stack(3)->end, UNWIND_NO_MAPPING);
	assert_int_equal(counted(COUNTER_STACK_FRAME_POINTER), 1);
	assert_int_equal(counted(COUNTER_STACK_NO_MAPPING), 1);
}

/* --- raw stacks
 * ------------------------------------------------------------------------------------------------------------ */

/* The next event must be a raw stack of that many bytes, all of them right. */
static const struct event_raw *next_raw_stack(u32 bytes)
{
	size_t size = 0;
	const struct event_raw *event = stub_ring_next(&size);

	assert_non_null(event);
	assert_int_equal(event->header.kind, EVENT_RAW);
	assert_int_equal(event->header.process, PROCESS);
	assert_int_equal(event->size, bytes);
	assert_int_equal(size, offsetof(struct event_raw, bytes) + bytes);
	assert_true(event->ip == regs.ip && event->sp == regs.sp && event->bp == regs.bp);
	assert_memory_equal(event->bytes, (void *)(uintptr_t)regs.sp, bytes);
	return event;
}

static void test_stack_capture_before_the_table_is_ready_sends_bytes_each_under_its_own_id(void **state)
{
	u64 first;

	(void)state;
	table_map(0, (struct unwind_mapping){.start = CODE, .end = CODE + 0x10000});
	first = capture(PROCESS);
	assert_true(first & RAW_STACK_ID);
	assert_true(next_raw_stack(RAW_STACK_BYTES)->stack == first);
	assert_int_not_equal(capture(PROCESS), first);
	next_raw_stack(RAW_STACK_BYTES);
	assert_int_equal(counted(COUNTER_STACK_RAW), 2);
	assert_int_equal(stub_count(&stacks_sent), 0);
	assert_int_equal(claimed(), 0);
}

static void test_stack_capture_mappings_of_another_image_sends_bytes(void **state)
{
	(void)state;
	scope.mappings_process = PROCESS - 1;
	assert_true(stack_capture(&regs, PROCESS, &scope) & RAW_STACK_ID);
	next_raw_stack(RAW_STACK_BYTES);
	assert_true(stack_capture(&regs, PROCESS, NULL) & RAW_STACK_ID);
	next_raw_stack(RAW_STACK_BYTES);
}

static void test_stack_capture_code_mapped_a_moment_ago_sends_bytes(void **state)
{
	(void)state;
	memory[1] = 0x7f0000001000;
	assert_true(capture(PROCESS) & RAW_STACK_ID);
	next_raw_stack(RAW_STACK_BYTES);
}

static void test_stack_capture_raw_ends_where_the_stack_does(void **state)
{
	u64 end = stub.memory_end;

	(void)state;
	scope.mappings = 0;
	for (u32 bytes = 8; bytes < RAW_STACK_BYTES; bytes = bytes * 2 + 8) {
		regs.sp = end - bytes;
		capture(PROCESS);
		next_raw_stack(bytes);
	}
	for (u32 offset = 0; offset < PAGE_BYTES; offset += 8) {
		regs.sp = end - RAW_STACK_BYTES - offset;
		capture(PROCESS);
		next_raw_stack(RAW_STACK_BYTES);
	}
}

static void test_stack_capture_raw_and_unreadable_is_the_leaf_alone(void **state)
{
	(void)state;
	scope.mappings = 0;
	regs.sp = stub.memory_end;
	capture(PROCESS);
	next_raw_stack(0);
}

static void test_stack_capture_raw_and_ring_full_gives_up(void **state)
{
	(void)state;
	scope.mappings = 0;
	stub.ring_capacity = RAW_STACK_BYTES;
	assert_true(capture(PROCESS) == 0);
	assert_int_equal(counted(COUNTER_STACK_LOST_RING), 1);
	assert_int_equal(counted(COUNTER_STACK_RAW), 0);
	assert_no_event();
	assert_int_equal(claimed(), 0);
}

/* --- given up, sent again
 * ------------------------------------------------------------------------------------------------------------ */

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
	assert_true(capture(PROCESS) == 0);
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
	for (u32 i = 0; i < STACK_DEPTH_MAX; i++)
		example.ip[i] = 0x400000 + i;
	hash = stack_hash(&example, STACK_DEPTH_MAX, PROCESS);
	assert_true(stack_hash(&example, STACK_DEPTH_MAX, PROCESS) == hash);
	assert_true(stack_hash(&example, STACK_DEPTH_MAX - 1, PROCESS) != hash);
	assert_true(stack_hash(&example, STACK_DEPTH_MAX, PROCESS + 1) != hash);
	for (u32 i = 0; i < STACK_DEPTH_MAX; i++) {
		example.ip[i] ^= 1;
		assert_true(stack_hash(&example, STACK_DEPTH_MAX, PROCESS) != hash);
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
		TEST(test_stack_capture_whole_stack_says_so),
		TEST(test_stack_capture_deepest_whole_stack_is_not_truncated),
		TEST(test_stack_capture_deeper_than_the_limit_is_marked_truncated),
		TEST(test_stack_capture_unreadable_is_counted_every_time),
		TEST(test_stack_capture_without_a_rule_is_counted_every_time),
		TEST(test_stack_capture_corrupt_is_counted_every_time),
		TEST(test_stack_capture_by_frame_pointer_is_counted_once_a_stack),
		TEST(test_stack_capture_before_the_table_is_ready_sends_bytes_each_under_its_own_id),
		TEST(test_stack_capture_mappings_of_another_image_sends_bytes),
		TEST(test_stack_capture_code_mapped_a_moment_ago_sends_bytes),
		TEST(test_stack_capture_raw_ends_where_the_stack_does),
		TEST(test_stack_capture_raw_and_unreadable_is_the_leaf_alone),
		TEST(test_stack_capture_raw_and_ring_full_gives_up),
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
