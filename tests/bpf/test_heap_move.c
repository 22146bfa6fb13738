/* SPDX-License-Identifier: GPL-2.0-or-later */
/* heap.bpf.h: what realloc does to the live map: an object moves, and then dies or is revived. */
#include "heap_event.h"

static void assert_moved_event(enum event_kind kind, u64 object)
{
	const struct event_moved *event = (const struct event_moved *)next_event(kind, sizeof(*event));

	assert_int_equal(event->object, object);
	assert_int_equal(event->tid, TID);
	assert_int_equal(event->reserved, 0);
}

static u64 end_moved(u8 *ret_flagged)
{
	return heap_end(PROCESS, ADDR, EVENT_MOVED, LIVE_MOVING, ret_flagged);
}

/* --- realloc --- */

static struct stash moving(u64 old, u8 flagged)
{
	return (struct stash){.size = 9, .addr = ADDR, .old = old, .process = PROCESS, .old_flagged = flagged};
}

/* An object whose move has been reported. */
static struct stash move_told(u64 old)
{
	u8 flagged = 0;

	assert_int_equal(end_moved(&flagged), old);
	assert_moved_event(EVENT_MOVED, old);
	return moving(old, flagged);
}

/* The ring is full: its key says that it is moving. */
static struct stash move_flagged(u64 old)
{
	u8 flagged = 0;

	fill_ring();
	assert_int_equal(end_moved(&flagged), old);
	return moving(old, flagged);
}

static void test_heap_revive_after_told_move_puts_the_object_back(void **state)
{
	u64 old = born(5);
	struct stash stash;

	(void)state;
	stash = move_told(old);
	assert_int_equal(stub_count(&live), 0);
	heap_revive(&stash);
	assert_moved_event(EVENT_REVIVED, old);
	assert_true(word_at_addr() == live_word(old, LIVE_ALIVE));
	assert_int_equal(counted(COUNTER_REVIVE_LOST), 0);
}

static void test_heap_revive_ring_full_is_counted_and_leaves_no_key(void **state)
{
	u64 old = born(5);
	struct stash stash;

	(void)state;
	stash = move_told(old);
	fill_ring();
	heap_revive(&stash);
	assert_int_equal(counted(COUNTER_REVIVE_LOST), 1);
	assert_int_equal(stub_count(&live), 0);
	assert_no_event();
}

static void test_heap_revive_map_full_is_counted_and_not_told(void **state)
{
	u64 old = born(5);
	struct stash stash;

	(void)state;
	stash = move_told(old);
	stub_limit(&live, 0);
	heap_revive(&stash);
	assert_int_equal(counted(COUNTER_REVIVE_LOST), 1);
	assert_no_event();
}

static void test_heap_revive_address_taken_meanwhile_leaves_the_taker_alone(void **state)
{
	u64 old = born(5), taker;
	struct stash stash;

	(void)state;
	stash = move_told(old);
	taker = born(6);
	heap_revive(&stash);
	assert_int_equal(counted(COUNTER_REVIVE_LOST), 1);
	assert_true(word_at_addr() == live_word(taker, LIVE_ALIVE));
	assert_no_event();
}

static void test_heap_end_moved_ring_full_flags_moving_and_is_no_object_meanwhile(void **state)
{
	u64 old = born(5);
	u8 flagged = 0, ignored = 0;

	(void)state;
	fill_ring();
	assert_int_equal(end_moved(&flagged), old);
	assert_int_equal(flagged, 1);
	assert_true(word_at_addr() == live_word(old, LIVE_MOVING));
	assert_int_equal(end_free(&ignored), 0);
	assert_int_equal(ignored, 0);
}

static void test_heap_revive_flagged_move_is_alive_again_without_an_event(void **state)
{
	u64 old = born(5);
	struct stash stash;

	(void)state;
	stash = move_flagged(old);
	heap_revive(&stash);
	assert_true(word_at_addr() == live_word(old, LIVE_ALIVE));
	assert_no_event();
}

static void test_heap_bury_flagged_move_is_dead(void **state)
{
	u64 old = born(5);
	struct stash stash;

	(void)state;
	stash = move_flagged(old);
	heap_bury(&stash);
	assert_true(word_at_addr() == live_word(old, LIVE_DEAD));
}

static void test_heap_bury_told_move_touches_nothing(void **state)
{
	u64 old = born(5), object;
	struct stash stash;

	(void)state;
	stash = move_told(old);
	object = born(6);
	heap_bury(&stash);
	assert_true(word_at_addr() == live_word(object, LIVE_ALIVE));
}

/* Another thread got the old block before our return: it told the death, and its own object must survive both endings.
 */
static void test_heap_begin_over_moving_key_tells_the_death_and_later_endings_miss(void **state)
{
	u64 old = born(5), object;
	struct stash stash;

	(void)state;
	stash = move_flagged(old);
	assert_no_event();
	heap_begin(&(struct stash){.size = 9, .process = PROCESS, .sampled = 1}, ADDR, 0xabc);
	object = ((const struct event_alloc *)next_event(EVENT_ALLOC, sizeof(struct event_alloc)))->object;
	assert_object_event(EVENT_FREE, old);
	heap_bury(&stash);
	assert_true(word_at_addr() == live_word(object, LIVE_ALIVE));
	heap_revive(&stash);
	assert_true(word_at_addr() == live_word(object, LIVE_ALIVE));
	assert_no_event();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_heap_revive_after_told_move_puts_the_object_back),
		TEST(test_heap_revive_ring_full_is_counted_and_leaves_no_key),
		TEST(test_heap_revive_map_full_is_counted_and_not_told),
		TEST(test_heap_revive_address_taken_meanwhile_leaves_the_taker_alone),
		TEST(test_heap_end_moved_ring_full_flags_moving_and_is_no_object_meanwhile),
		TEST(test_heap_revive_flagged_move_is_alive_again_without_an_event),
		TEST(test_heap_bury_flagged_move_is_dead),
		TEST(test_heap_bury_told_move_touches_nothing),
		TEST(test_heap_begin_over_moving_key_tells_the_death_and_later_endings_miss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
