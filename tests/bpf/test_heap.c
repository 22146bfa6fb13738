/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heap.bpf.h: births and deaths in the live map, transition by transition. The invariant: an object's death is
 * reported by exactly one event, or is flagged in the map until it is.
 */
#include "heap_event.h"

/* --- births --- */

static void test_heap_begin_free_address_enters_map_and_is_told(void **state)
{
	struct stash stash = {.size = 100, .process = PROCESS, .sampled = 1};
	const struct event_alloc *event;

	(void)state;
	heap_begin(&stash, ADDR, 0xabc);
	event = (const struct event_alloc *)next_event(EVENT_ALLOC, sizeof(*event));
	assert_int_equal(event->header.flags, 0);
	assert_int_equal(event->addr, ADDR);
	assert_int_equal(event->size, 100);
	assert_int_equal(event->stack, 0xabc);
	assert_true(event->object != 0);
	assert_true(word_at_addr() == live_word(event->object, LIVE_ALIVE));
	assert_no_event();
}

static void test_heap_begin_two_births_have_different_ids(void **state)
{
	u8 flagged = 0;
	u64 first;

	(void)state;
	first = born(1);
	assert_int_equal(end_free(&flagged), first);
	assert_object_event(EVENT_FREE, first);
	assert_true(born(1) != first);
}

static void test_heap_begin_without_stack_is_told_all_the_same(void **state)
{
	struct stash stash = {.size = 1, .process = PROCESS, .sampled = 1};
	const struct event_alloc *event;

	(void)state;
	heap_begin(&stash, ADDR, 0);
	event = (const struct event_alloc *)next_event(EVENT_ALLOC, sizeof(*event));
	assert_int_equal(event->header.flags, 0);
	assert_int_equal(event->stack, 0);
}

static void test_heap_begin_ring_full_loses_the_sample_and_leaves_no_key(void **state)
{
	struct stash stash = {.size = 1, .process = PROCESS, .sampled = 1};

	(void)state;
	fill_ring();
	heap_begin(&stash, ADDR, 0xabc);
	assert_int_equal(counted(COUNTER_LOST_RING), 1);
	assert_int_equal(stub_count(&live), 0);
	assert_no_event();
}

static void test_heap_begin_map_full_is_told_as_refused(void **state)
{
	struct stash stash = {.size = 1, .process = PROCESS, .sampled = 1};
	const struct event_alloc *event;

	(void)state;
	stub_limit(&live, 1);
	born(5);
	heap_begin(&stash, ADDR + 16, 0xabc);
	event = (const struct event_alloc *)next_event(EVENT_ALLOC, sizeof(*event));
	assert_int_equal(event->header.flags, EVENT_REFUSED);
	assert_int_equal(counted(COUNTER_REFUSED), 1);
	assert_int_equal(stub_count(&live), 1);
	assert_true(heap_end(PROCESS, ADDR + 16, EVENT_FREE, LIVE_DEAD, &(u8){0}) == 0);
}

static void test_heap_begin_alloc_only_is_unfollowed_and_enters_no_map(void **state)
{
	struct stash stash = {.size = 1, .process = PROCESS, .sampled = 1};

	(void)state;
	config.alloc_only = 1;
	heap_begin(&stash, ADDR, 0);
	assert_int_equal(next_event(EVENT_ALLOC, sizeof(struct event_alloc))->flags, EVENT_UNFOLLOWED);
	assert_int_equal(stub_count(&live), 0);
}

static void test_heap_begin_after_the_end_of_frees_is_unfollowed_and_enters_no_map(void **state)
{
	struct stash stash = {.size = 1, .process = PROCESS, .sampled = 1};

	(void)state;
	frees_ended = 1;
	heap_begin(&stash, ADDR, 0);
	assert_int_equal(next_event(EVENT_ALLOC, sizeof(struct event_alloc))->flags, EVENT_UNFOLLOWED);
	assert_int_equal(stub_count(&live), 0);
	frees_ended = 0;
}

static void test_heap_begin_same_address_in_another_process_is_another_object(void **state)
{
	struct stash stash = {.size = 1, .process = PROCESS + 1, .sampled = 1};
	u64 object = born(5);

	(void)state;
	heap_begin(&stash, ADDR, 0xabc);
	assert_int_equal(counted(COUNTER_FREE_UNSEEN), 0);
	assert_int_equal(stub_count(&live), 2);
	assert_true(word_at_addr() == live_word(object, LIVE_ALIVE));
}

/* --- deaths --- */

static void test_heap_end_live_object_leaves_map_and_is_told(void **state)
{
	u64 object = born(5);
	u8 flagged = 0;

	(void)state;
	assert_int_equal(end_free(&flagged), object);
	assert_object_event(EVENT_FREE, object);
	assert_int_equal(flagged, 0);
	assert_int_equal(stub_count(&live), 0);
	assert_no_event();
}

static void test_heap_end_unknown_address_tells_nothing(void **state)
{
	u8 flagged = 0;

	(void)state;
	assert_int_equal(end_free(&flagged), 0);
	assert_int_equal(flagged, 0);
	assert_no_event();
}

static void test_heap_end_ring_full_flags_dead_and_second_free_is_a_miss(void **state)
{
	u64 object = born(5);
	u8 flagged = 0;

	(void)state;
	fill_ring();
	assert_int_equal(end_free(&flagged), object);
	assert_int_equal(flagged, 1);
	assert_true(word_at_addr() == live_word(object, LIVE_DEAD));
	assert_int_equal(counted(COUNTER_FREE_DEFERRED), 1);
	assert_no_event();
	flagged = 0;
	assert_int_equal(end_free(&flagged), 0);
	assert_int_equal(flagged, 0);
	assert_int_equal(counted(COUNTER_FREE_DEFERRED), 1);
	assert_no_event();
}

/* --- a birth over a key that is taken --- */

static void test_heap_begin_over_dead_key_tells_the_death_first(void **state)
{
	u64 old = born(5), object;
	u8 flagged = 0;

	(void)state;
	fill_ring();
	end_free(&flagged);
	assert_no_event();
	heap_begin(&(struct stash){.size = 9, .process = PROCESS, .sampled = 1}, ADDR, 0xabc);
	/* The slot of the birth was reserved first, so it comes first: other objects, so the order does not matter. */
	object = ((const struct event_alloc *)next_event(EVENT_ALLOC, sizeof(struct event_alloc)))->object;
	assert_object_event(EVENT_FREE, old);
	assert_true(word_at_addr() == live_word(object, LIVE_ALIVE));
	assert_int_equal(counted(COUNTER_FREE_UNSEEN), 0);
	assert_int_equal(stub_count(&live), 1);
}

static void test_heap_begin_over_live_key_tells_an_overwrite(void **state)
{
	u64 old = born(5), object;

	(void)state;
	heap_begin(&(struct stash){.size = 9, .process = PROCESS, .sampled = 1}, ADDR, 0xabc);
	object = ((const struct event_alloc *)next_event(EVENT_ALLOC, sizeof(struct event_alloc)))->object;
	assert_object_event(EVENT_OVERWRITE, old);
	assert_true(word_at_addr() == live_word(object, LIVE_ALIVE));
	assert_int_equal(counted(COUNTER_FREE_UNSEEN), 1);
}

/* Room for the birth, none for the death: the birth is given up, the old object's death stays in the map. */
static void test_heap_begin_over_live_key_without_room_for_the_death_loses_the_birth(void **state)
{
	u64 old = born(5);

	(void)state;
	stub.ring_capacity = stub_ring_bytes(sizeof(struct event_alloc)) + 1;
	heap_begin(&(struct stash){.size = 9, .process = PROCESS, .sampled = 1}, ADDR, 0xabc);
	assert_int_equal(counted(COUNTER_LOST_RING), 1);
	assert_no_event();
	assert_true(word_at_addr() == live_word(old, LIVE_DEAD));
	assert_int_equal(stub.ring_used, 0);
}

static void test_heap_begin_over_dead_key_in_a_full_map_reuses_it(void **state)
{
	u8 flagged = 0;

	(void)state;
	stub_limit(&live, 1);
	born(5);
	fill_ring();
	end_free(&flagged);
	assert_no_event();
	heap_begin(&(struct stash){.size = 9, .process = PROCESS, .sampled = 1}, ADDR, 0xabc);
	assert_int_equal(next_event(EVENT_ALLOC, sizeof(struct event_alloc))->flags, 0);
	assert_int_equal(counted(COUNTER_REFUSED), 0);
}

/* --- waking --- */

static void test_emit_ring_half_full_wakes_the_reader(void **state)
{
	(void)state;
	config.ring_half = 2 * stub_ring_bytes(sizeof(struct event_object));
	assert_true(emit_object(EVENT_FREE, PROCESS, 1));
	assert_int_equal(stub.wakeups, 0);
	assert_true(emit_object(EVENT_FREE, PROCESS, 2));
	assert_int_equal(stub.wakeups, 1);
	assert_true(emit_object(EVENT_FREE, PROCESS, 3));
	assert_int_equal(stub.wakeups, 2);
}

static void test_count_rows_are_shared_by_number_modulo_and_kept_per_cpu(void **state)
{
	u32 row = PROCESS;

	(void)state;
	count(PROCESS, COUNTER_FAILED);
	stub.cpu = 2;
	count(PROCESS + SCOPES_MIN, COUNTER_FAILED);
	count(PROCESS, COUNTER_FAILED);
	assert_int_equal(((struct tally *)stub_row(STUB_MAP(&tallies), row, 0))->count[COUNTER_FAILED], 1);
	assert_int_equal(((struct tally *)stub_row(STUB_MAP(&tallies), row, 2))->count[COUNTER_FAILED], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_heap_begin_free_address_enters_map_and_is_told),
		TEST(test_heap_begin_two_births_have_different_ids),
		TEST(test_heap_begin_without_stack_is_told_all_the_same),
		TEST(test_heap_begin_ring_full_loses_the_sample_and_leaves_no_key),
		TEST(test_heap_begin_map_full_is_told_as_refused),
		TEST(test_heap_begin_alloc_only_is_unfollowed_and_enters_no_map),
		TEST(test_heap_begin_after_the_end_of_frees_is_unfollowed_and_enters_no_map),
		TEST(test_heap_begin_same_address_in_another_process_is_another_object),
		TEST(test_heap_end_live_object_leaves_map_and_is_told),
		TEST(test_heap_end_unknown_address_tells_nothing),
		TEST(test_heap_end_ring_full_flags_dead_and_second_free_is_a_miss),
		TEST(test_heap_begin_over_dead_key_tells_the_death_first),
		TEST(test_heap_begin_over_live_key_tells_an_overwrite),
		TEST(test_heap_begin_over_live_key_without_room_for_the_death_loses_the_birth),
		TEST(test_heap_begin_over_dead_key_in_a_full_map_reuses_it),
		TEST(test_emit_ring_half_full_wakes_the_reader),
		TEST(test_count_rows_are_shared_by_number_modulo_and_kept_per_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
