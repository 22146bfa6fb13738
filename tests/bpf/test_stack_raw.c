/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack.bpf.h: stacks that cannot be walked yet, sent as bytes. */
#include "stack_capture.h"

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
	assert_true(stack_capture(&regs, &(struct stash){.process = PROCESS}, &scope) & RAW_STACK_ID);
	next_raw_stack(RAW_STACK_BYTES);
	assert_true(stack_capture(&regs, &(struct stash){.process = PROCESS}, NULL) & RAW_STACK_ID);
	next_raw_stack(RAW_STACK_BYTES);
}

static void test_stack_capture_code_mapped_a_moment_ago_sends_bytes(void **state)
{
	(void)state;
	memory[1] = 0x7f0000001000;
	assert_true(capture(PROCESS) & RAW_STACK_ID);
	next_raw_stack(RAW_STACK_BYTES);
}

/* The walk has left the snapshot that began with the leaf. */
static void test_stack_capture_table_missing_far_from_the_leaf_sends_bytes_from_the_leaf_on(void **state)
{
	(void)state;
	table_rule(1, (struct unwind_rule){.cfa = CFA_SP, .offset = 32});
	for (u32 frame = 0; frame < 700; frame++)
		memory[4 * frame + 3] = frame < 699 ? frame_address(1) : 0x7f0000001000;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stack_capture_before_the_table_is_ready_sends_bytes_each_under_its_own_id),
		TEST(test_stack_capture_mappings_of_another_image_sends_bytes),
		TEST(test_stack_capture_code_mapped_a_moment_ago_sends_bytes),
		TEST(test_stack_capture_table_missing_far_from_the_leaf_sends_bytes_from_the_leaf_on),
		TEST(test_stack_capture_raw_ends_where_the_stack_does),
		TEST(test_stack_capture_raw_and_unreadable_is_the_leaf_alone),
		TEST(test_stack_capture_raw_and_ring_full_gives_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
