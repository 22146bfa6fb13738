/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heap.bpf.h: the live map's protocol, transition by transition. What every one of them must keep: an object's death is
 * told by exactly one event, or stands in the map as a flag until it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "../../bpf/heap.bpf.h"

#define PROCESS 7
#define TID	4321
#define ADDR	0x5000

static int setup(void **state)
{
	(void)state;
	stub_reset(1 << 20);
	stub.pid_tgid = (u64)99 << 32 | TID;
	stub.now_ns = 1000;
	config = (struct config){.sample_bytes = 1, .ring_half = 1 << 19, .tally_mask = TALLIES_MIN - 1};
	return 0;
}

static u64 counted(enum counter counter)
{
	u32 row = PROCESS;
	struct tally *tally = bpf_map_lookup_elem(&tallies, &row);

	return tally->count[counter];
}

/* The live map's word at ADDR, 0 when there is none. */
static u64 word_at_addr(void)
{
	struct live_key key = live_key(PROCESS, ADDR);
	u64 *word = bpf_map_lookup_elem(&live, &key);

	return word ? *word : 0;
}

static const struct event *next_event(enum event_kind kind, size_t size)
{
	size_t got = 0;
	const struct event *event = stub_ring_next(&got);

	assert_non_null(event);
	assert_int_equal(event->kind, kind);
	assert_int_equal(got, size);
	assert_int_equal(event->source, SOURCE_UPROBE);
	assert_int_equal(event->process, PROCESS);
	assert_true(event->time_ns > 1000);
	return event;
}

static void assert_no_event(void)
{
	size_t size;

	assert_null(stub_ring_next(&size));
}

/* A birth of `size` bytes at ADDR whose event is taken from the ring; the object's id. */
static u64 born(u64 size)
{
	struct stash stash = {.size = size, .process = PROCESS, .sampled = 1};
	const struct event_alloc *event;

	heap_begin(&stash, ADDR, 0xabc);
	event = (const struct event_alloc *)next_event(EVENT_ALLOC, sizeof(*event));
	assert_int_equal(event->size, size);
	return event->object;
}

static void fill_ring(void)
{
	while (stub_ring_reserve(8))
		stub_ring_finish(stub.last->data, STUB_DISCARDED, BPF_RB_NO_WAKEUP);
}

static void assert_object_event(enum event_kind kind, u64 object)
{
	assert_int_equal(((const struct event_object *)next_event(kind, sizeof(struct event_object)))->object, object);
}

static void assert_moved_event(enum event_kind kind, u64 object)
{
	const struct event_moved *event = (const struct event_moved *)next_event(kind, sizeof(*event));

	assert_int_equal(event->object, object);
	assert_int_equal(event->tid, TID);
	assert_int_equal(event->reserved, 0);
}

static u64 end_free(u8 *ret_flagged)
{
	return heap_end(PROCESS, ADDR, EVENT_FREE, LIVE_DEAD, ret_flagged);
}

static u64 end_moved(u8 *ret_flagged)
{
	return heap_end(PROCESS, ADDR, EVENT_MOVED, LIVE_MOVING, ret_flagged);
}

/* --- births
 * ------------------------------------------------------------------------------------------------------------- */

static void test_heap_begin_free_address_enters_map_and_is_told(void **state)
{
	struct stash stash = {.size = 100, .process = PROCESS, .sampled = 1};
	const struct event_alloc *event;

	(void)state;
	config.sample_bytes = 4096;
	heap_begin(&stash, ADDR, 0xabc);
	event = (const struct event_alloc *)next_event(EVENT_ALLOC, sizeof(*event));
	assert_int_equal(event->header.flags, 0);
	assert_int_equal(event->addr, ADDR);
	assert_int_equal(event->size, 100);
	assert_int_equal(event->interval, 4096);
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

static void test_heap_begin_without_stack_is_flagged_stackless(void **state)
{
	struct stash stash = {.size = 1, .process = PROCESS, .sampled = 1};

	(void)state;
	heap_begin(&stash, ADDR, 0);
	assert_int_equal(next_event(EVENT_ALLOC, sizeof(struct event_alloc))->flags, EVENT_STACKLESS);
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
	assert_int_equal(next_event(EVENT_ALLOC, sizeof(struct event_alloc))->flags,
			 EVENT_UNFOLLOWED | EVENT_STACKLESS);
	assert_int_equal(stub_count(&live), 0);
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

/* --- deaths
 * ------------------------------------------------------------------------------------------------------------- */

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

/* --- a birth over a key that is taken
 * ------------------------------------------------------------------------------------ */

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

/* --- realloc
 * ------------------------------------------------------------------------------------------------------------ */

static struct stash moving(u64 old, u8 flagged)
{
	return (struct stash){.size = 9, .addr = ADDR, .old = old, .process = PROCESS, .old_flagged = flagged};
}

static void test_heap_revive_after_told_move_puts_the_object_back(void **state)
{
	u64 old = born(5);
	struct stash stash;
	u8 flagged = 0;

	(void)state;
	assert_int_equal(end_moved(&flagged), old);
	assert_moved_event(EVENT_MOVED, old);
	assert_int_equal(stub_count(&live), 0);
	stash = moving(old, flagged);
	heap_revive(&stash);
	assert_moved_event(EVENT_REVIVED, old);
	assert_true(word_at_addr() == live_word(old, LIVE_ALIVE));
	assert_int_equal(counted(COUNTER_REVIVE_LOST), 0);
}

static void test_heap_revive_ring_full_is_counted_and_leaves_no_key(void **state)
{
	u64 old = born(5);
	struct stash stash;
	u8 flagged = 0;

	(void)state;
	end_moved(&flagged);
	assert_moved_event(EVENT_MOVED, old);
	fill_ring();
	stash = moving(old, flagged);
	heap_revive(&stash);
	assert_int_equal(counted(COUNTER_REVIVE_LOST), 1);
	assert_int_equal(stub_count(&live), 0);
	assert_no_event();
}

static void test_heap_revive_map_full_is_counted_and_not_told(void **state)
{
	u64 old = born(5);
	struct stash stash;
	u8 flagged = 0;

	(void)state;
	end_moved(&flagged);
	assert_moved_event(EVENT_MOVED, old);
	stub_limit(&live, 0);
	stash = moving(old, flagged);
	heap_revive(&stash);
	assert_int_equal(counted(COUNTER_REVIVE_LOST), 1);
	assert_no_event();
}

static void test_heap_revive_address_taken_meanwhile_leaves_the_taker_alone(void **state)
{
	u64 old = born(5), taker;
	struct stash stash;
	u8 flagged = 0;

	(void)state;
	end_moved(&flagged);
	assert_moved_event(EVENT_MOVED, old);
	taker = born(6);
	stash = moving(old, flagged);
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
	u8 flagged = 0;

	(void)state;
	fill_ring();
	end_moved(&flagged);
	stash = moving(old, flagged);
	heap_revive(&stash);
	assert_true(word_at_addr() == live_word(old, LIVE_ALIVE));
	assert_no_event();
}

static void test_heap_bury_flagged_move_is_dead(void **state)
{
	u64 old = born(5);
	struct stash stash;
	u8 flagged = 0;

	(void)state;
	fill_ring();
	end_moved(&flagged);
	stash = moving(old, flagged);
	heap_bury(&stash);
	assert_true(word_at_addr() == live_word(old, LIVE_DEAD));
}

static void test_heap_bury_told_move_touches_nothing(void **state)
{
	u64 old = born(5), object;
	struct stash stash;
	u8 flagged = 0;

	(void)state;
	end_moved(&flagged);
	assert_moved_event(EVENT_MOVED, old);
	object = born(6);
	stash = moving(old, flagged);
	heap_bury(&stash);
	assert_true(word_at_addr() == live_word(object, LIVE_ALIVE));
}

/* Another thread got the old block before our return: it told the death, and its own object must survive both endings.
 */
static void test_heap_begin_over_moving_key_tells_the_death_and_later_endings_miss(void **state)
{
	u64 old = born(5), object;
	struct stash stash;
	u8 flagged = 0;

	(void)state;
	fill_ring();
	end_moved(&flagged);
	assert_no_event();
	heap_begin(&(struct stash){.size = 9, .process = PROCESS, .sampled = 1}, ADDR, 0xabc);
	object = ((const struct event_alloc *)next_event(EVENT_ALLOC, sizeof(struct event_alloc)))->object;
	assert_object_event(EVENT_FREE, old);
	stash = moving(old, flagged);
	heap_bury(&stash);
	assert_true(word_at_addr() == live_word(object, LIVE_ALIVE));
	heap_revive(&stash);
	assert_true(word_at_addr() == live_word(object, LIVE_ALIVE));
	assert_no_event();
}

/* --- waking
 * ------------------------------------------------------------------------------------------------------------- */

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
	count(PROCESS + TALLIES_MIN, COUNTER_FAILED);
	count(PROCESS, COUNTER_FAILED);
	assert_int_equal(((struct tally *)stub_row(STUB_MAP(&tallies), row, 0))->count[COUNTER_FAILED], 1);
	assert_int_equal(((struct tally *)stub_row(STUB_MAP(&tallies), row, 2))->count[COUNTER_FAILED], 2);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_heap_begin_free_address_enters_map_and_is_told),
		TEST(test_heap_begin_two_births_have_different_ids),
		TEST(test_heap_begin_without_stack_is_flagged_stackless),
		TEST(test_heap_begin_ring_full_loses_the_sample_and_leaves_no_key),
		TEST(test_heap_begin_map_full_is_told_as_refused),
		TEST(test_heap_begin_alloc_only_is_unfollowed_and_enters_no_map),
		TEST(test_heap_begin_same_address_in_another_process_is_another_object),
		TEST(test_heap_end_live_object_leaves_map_and_is_told),
		TEST(test_heap_end_unknown_address_tells_nothing),
		TEST(test_heap_end_ring_full_flags_dead_and_second_free_is_a_miss),
		TEST(test_heap_begin_over_dead_key_tells_the_death_first),
		TEST(test_heap_begin_over_live_key_tells_an_overwrite),
		TEST(test_heap_begin_over_live_key_without_room_for_the_death_loses_the_birth),
		TEST(test_heap_begin_over_dead_key_in_a_full_map_reuses_it),
		TEST(test_heap_revive_after_told_move_puts_the_object_back),
		TEST(test_heap_revive_ring_full_is_counted_and_leaves_no_key),
		TEST(test_heap_revive_map_full_is_counted_and_not_told),
		TEST(test_heap_revive_address_taken_meanwhile_leaves_the_taker_alone),
		TEST(test_heap_end_moved_ring_full_flags_moving_and_is_no_object_meanwhile),
		TEST(test_heap_revive_flagged_move_is_alive_again_without_an_event),
		TEST(test_heap_bury_flagged_move_is_dead),
		TEST(test_heap_bury_told_move_touches_nothing),
		TEST(test_heap_begin_over_moving_key_tells_the_death_and_later_endings_miss),
		TEST(test_emit_ring_half_full_wakes_the_reader),
		TEST(test_count_rows_are_shared_by_number_modulo_and_kept_per_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
