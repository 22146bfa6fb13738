/* SPDX-License-Identifier: GPL-2.0-or-later */
/* region_ledger.c: how stacks ended is said of allocations and of mappings apart, and both together are what was counted. */
#include "heap/region_ledger.h"
#include "heap/snapshot.h"
#include "include/unwind.h"
#include "recorder_event.h"

#define PAGE 4096

static void send_ended_stack(u64 hash, enum unwind_end end)
{
	struct event_stack event = {.header = {.kind = EVENT_STACK, .process = 1, .time_ns = 50},
				    .stack = hash,
				    .depth = 1,
				    .end = end,
				    .ip = {0x400000 + hash}};

	assert_int_equal(apply_event(recorder, &event.header, stack_size(1)), 0);
}

static void send_map(u64 page, u64 stack)
{
	struct event_region event = {.header = {.kind = EVENT_REGION, .process = 1, .time_ns = 100},
				     .call = REGION_MMAP,
				     .addr = 0x7f0000000000 + page * PAGE,
				     .size = PAGE,
				     .stack = stack};

	assert_int_equal(apply_event(recorder, &event.header, sizeof(event)), 0);
}

static void test_region_ledger_and_the_heaps_are_together_what_was_counted(void **state)
{
	struct image *image = begin(1, PID);
	u64 heap[COUNTER_MAX], regions[COUNTER_MAX];

	(void)state;
	send_ended_stack(1, UNWIND_COMPLETE);
	send_ended_stack(2, UNWIND_NO_RULE);
	send_ended_stack(3, UNWIND_TRUNCATED);
	for (u64 page = 0; page < 4; page++)
		send_map(page, 1 + page % 3);
	send_map(4, 2);
	send_map(5, 0);
	assert_int_equal(send_alloc(1, 1, 100, 2, 0), 0);
	/* As the programs have counted: each walk by how it ended, and the one that was lost. */
	image->ledger[COUNTER_STACK_NO_RULE] = 3;
	image->ledger[COUNTER_STACK_TRUNCATED] = 1;
	image->ledger[COUNTER_STACK_LOST_RING] = 1;
	image->ledger[COUNTER_MAPPING_CALLS] = 6;
	image->ledger[COUNTER_SAMPLED] = 1;
	image_balance(image);
	memcpy(heap, image->ledger, sizeof(heap));
	region_ledger_leave_out(image, heap);
	region_ledger_of(image, regions);
	assert_int_equal(heap[COUNTER_STACK_NO_RULE], 1);
	assert_int_equal(regions[COUNTER_STACK_NO_RULE], 2);
	assert_int_equal(heap[COUNTER_STACK_TRUNCATED], 0);
	assert_int_equal(regions[COUNTER_STACK_TRUNCATED], 1);
	assert_int_equal(heap[COUNTER_STACK_LOST_RING], 1);
	assert_int_equal(regions[COUNTER_STACK_LOST_RING], 0);
	assert_int_equal(heap[COUNTER_MAPPING_NO_STACK], 1);
	assert_int_equal(regions[COUNTER_MAPPING_NO_STACK], 1);
	assert_int_equal(regions[COUNTER_MAPPING_CALLS], 6);
	assert_int_equal(ledger_missing(heap), 0);
	assert_int_equal(regions[COUNTER_LIVE], 0);
}

/* What a profile of mappings says balances by itself, whatever the heap's has. */
static void test_region_ledger_of_a_profile_has_nothing_of_the_heaps(void **state)
{
	struct image *image = begin(1, PID);
	struct profile *profile;

	(void)state;
	send_ended_stack(1, UNWIND_STUCK);
	send_map(0, 1);
	assert_int_equal(send_alloc(1, 1, 100, 1, 0), 0);
	assert_int_equal(send_alloc(1, 2, 100, 1, 0), 0);
	assert_int_equal(send_object(EVENT_FREE, 1, 2), 0);
	image->ledger[COUNTER_SAMPLED] = 2;
	image->ledger[COUNTER_STACK_STUCK] = 3;
	assert_int_equal(snapshot_take(recorder_options(recorder), image, 200, 1, &profile), 0);
	assert_non_null(profile->regions);
	assert_int_equal(profile->ledger[COUNTER_STACK_STUCK], 2);
	assert_int_equal(profile->regions->ledger[COUNTER_STACK_STUCK], 1);
	assert_int_equal(ledger_losses(profile->ledger).missing, 0);
	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		if (strncmp(ledger_name(i), "mapping_", 8) != 0 && strncmp(ledger_name(i), "stack_", 6) != 0)
			assert_int_equal(profile->regions->ledger[i], 0);
	profile_free(profile);
}

static int limited_setup(void **state)
{
	struct recorder_options options = {.sample_bytes = 1, .sites_max = 2};

	(void)state;
	recorder = recorder_new(&options);
	return recorder ? 0 : -1;
}

static void test_region_ledger_counts_mappings_that_have_no_room_for_their_stack(void **state)
{
	struct image *image = begin(1, PID);
	u64 regions[COUNTER_MAX];

	(void)state;
	send_ended_stack(1, UNWIND_COMPLETE);
	send_ended_stack(2, UNWIND_COMPLETE);
	send_ended_stack(3, UNWIND_COMPLETE); /* not kept */
	send_map(0, 1);
	send_map(1, 3);
	send_map(2, 0);
	image_balance(image);
	region_ledger_of(image, regions);
	assert_int_equal(regions[COUNTER_STACK_NO_ROOM], 2);
	assert_int_equal(regions[COUNTER_MAPPING_NO_STACK], 1);
	assert_int_equal(image->ledger[COUNTER_STACK_NO_ROOM], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_region_ledger_and_the_heaps_are_together_what_was_counted, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_region_ledger_of_a_profile_has_nothing_of_the_heaps, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_region_ledger_counts_mappings_that_have_no_room_for_their_stack,
						limited_setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
