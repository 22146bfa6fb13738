/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gc_model.c: what is booked, and when it is published. */
#include "gc_model_scene.h"

static void assert_published(u64 alloc_count, s64 inuse_count)
{
	struct booking_slot published = booking_published(&booking, &gc);

	assert_int_equal(published.alloc_count, alloc_count);
	assert_int_equal(published.inuse_count, inuse_count);
}

static void test_booking_before_the_first_cycle_shows_what_is(void **state)
{
	(void)state;
	begin(100);
	booking_add(&booking, &gc, 1, 1);
	assert_published(1, 1);
	booking_add(&booking, &gc, 0, -1);
	assert_published(1, 0);
}

/* Born in period c, dead before c ends: both appear when the cycle after the next completes, never one alone. */
static void test_booking_object_that_dies_young_never_shows_as_in_use(void **state)
{
	(void)state;
	begin(100);
	complete_cycle();
	booking_add(&booking, &gc, 1, 1);
	assert_published(0, 0);
	booking_add(&booking, &gc, 0, -1);
	complete_cycle();
	assert_published(0, 0);
	complete_cycle();
	assert_published(1, 0);
}

static void test_booking_survivor_shows_from_the_second_cycle_to_its_deaths_second(void **state)
{
	(void)state;
	begin(100);
	complete_cycle();
	booking_add(&booking, &gc, 1, 1);
	complete_cycle();
	assert_published(0, 0);
	booking_add(&booking, &gc, 0, -1);
	complete_cycle();
	assert_published(1, 1);
	complete_cycle();
	assert_published(1, 0);
}

static void test_booking_request_shows_all_at_once(void **state)
{
	(void)state;
	begin(100);
	complete_cycle();
	complete_cycle();
	booking_add(&booking, &gc, 5, 5);
	booking_add(&booking, &gc, 0, -2);
	assert_published(0, 0);
	gc_model_request(&gc);
	assert_published(5, 3);
	booking_add(&booking, &gc, 1, 1);
	assert_published(5, 3);
	complete_cycle();
	assert_published(5, 3);
	complete_cycle();
	assert_published(6, 4);
}

static void test_booking_first_cycle_shows_what_lived_when_it_completed(void **state)
{
	(void)state;
	begin(100);
	booking_add(&booking, &gc, 2, 2);
	complete_cycle();
	booking_add(&booking, &gc, 1, 1);
	assert_published(2, 2);
	complete_cycle();
	assert_published(2, 2);
	complete_cycle();
	assert_published(3, 3);
}

static void test_booking_untouched_for_many_cycles_catches_up(void **state)
{
	(void)state;
	begin(100);
	booking_add(&booking, &gc, 1, 1);
	complete_cycle();
	booking_add(&booking, &gc, 1, 1);
	for (unsigned int i = 0; i < 1000; i++)
		complete_cycle();
	assert_published(2, 2);
	booking_add(&booking, &gc, 1, 1);
	assert_published(2, 2);
}

static void test_booking_revival_after_the_death_was_published_undoes_it(void **state)
{
	(void)state;
	begin(100);
	booking_add(&booking, &gc, 1, 1);
	booking_add(&booking, &gc, 0, -1);
	gc_model_request(&gc);
	assert_published(1, 0);
	booking_add(&booking, &gc, 0, 1);
	gc_model_request(&gc);
	assert_published(1, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_booking_before_the_first_cycle_shows_what_is),
		cmocka_unit_test(test_booking_object_that_dies_young_never_shows_as_in_use),
		cmocka_unit_test(test_booking_survivor_shows_from_the_second_cycle_to_its_deaths_second),
		cmocka_unit_test(test_booking_request_shows_all_at_once),
		cmocka_unit_test(test_booking_first_cycle_shows_what_lived_when_it_completed),
		cmocka_unit_test(test_booking_untouched_for_many_cycles_catches_up),
		cmocka_unit_test(test_booking_revival_after_the_death_was_published_undoes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
