/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recorder.c, heap.c and quota.h: what is booked when the limit of sites is reached. */
#include "recorder_event.h"

#define SITES 4

static int limited_setup(void **state)
{
	struct recorder_options options = {.sample_bytes = 1, .sites_max = SITES};

	(void)state;
	recorder = recorder_new(&options);
	return recorder ? 0 : -1;
}

static const struct heap_site *site_at(const struct image *image, u64 stack, u64 size)
{
	for (const struct heap_site *site = image->heap.sites; site; site = site->hh.next)
		if (site->key.stack == stack && site->key.size == size)
			return site;
	return NULL;
}

static void test_quota_site_too_many_is_booked_by_size_without_its_stack(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	for (u64 i = 1; i <= SITES / 2; i++) {
		assert_int_equal(send_stack(1, i, 3, stack_size(3)), 0);
		assert_int_equal(send_alloc(1, i, 100, i, 0), 0);
	}
	for (u64 i = 11; i <= 13; i++)
		assert_int_equal(send_alloc(1, i, 200, 1, 0), 0);
	/* One that is known goes on being counted. */
	assert_int_equal(send_alloc(1, 50, 100, 1, 0), 0);
	assert_int_equal(site_at(image, 1, 100)->alloc_count, 2);
	assert_null(site_at(image, 1, 200));
	assert_int_equal(site_at(image, 0, 200)->alloc_count, 3);
	assert_int_equal(site_at(image, 0, 200)->inuse_count, 3);
	assert_int_equal(send_object(EVENT_FREE, 1, 12), 0);
	assert_int_equal(site_at(image, 0, 200)->inuse_count, 2);
	image_balance(image);
	assert_int_equal(image->ledger[COUNTER_STACK_NO_ROOM], 3);
	assert_true(ledger_is_loss(COUNTER_STACK_NO_ROOM));
	assert_int_equal(image->ledger[COUNTER_FREED], 1);
	assert_int_equal(image->ledger[COUNTER_LIVE], SITES / 2 + 3);
}

static void test_quota_stack_too_many_is_not_kept_and_said_of_its_allocations(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	for (u64 i = 1; i <= SITES + 1; i++)
		assert_int_equal(send_stack(1, i, 3, stack_size(3)), 0);
	assert_non_null(stack_table_find(&image->stacks, SITES));
	assert_null(stack_table_find(&image->stacks, SITES + 1));
	assert_int_equal(send_alloc(1, 1, 100, SITES + 1, 0), 0);
	assert_int_equal(site_at(image, 0, 100)->alloc_count, 1);
	/* A sample whose stack was never reported has none, though not because of the limit. */
	assert_int_equal(send_alloc(1, 2, 100, 0, 0), 0);
	image_balance(image);
	assert_int_equal(image->ledger[COUNTER_STACK_NO_ROOM], 1);
}

static void test_quota_is_one_for_all_images_and_comes_back_with_those_that_ended(void **state)
{
	struct image *one = begin(1, PID), *two = begin(2, PID + 1);

	(void)state;
	for (u64 i = 1; i <= SITES; i++)
		assert_int_equal(send_alloc(1, i, 100, i, 0), 0);
	assert_int_equal(send_alloc(2, 11, 100, 7, 0), 0);
	assert_null(site_at(two, 7, 100));
	recorder_end(recorder, one, 300);
	assert_ptr_equal(recorder_take_ended(recorder), one);
	image_free(one);
	for (u64 i = 1; i <= SITES; i++)
		assert_int_equal(send_stack(2, 20 + i, 3, stack_size(3)), 0);
	assert_non_null(stack_table_find(&two->stacks, 20 + SITES));
	assert_int_equal(two->heap.no_room_count, 1);
}

static void test_quota_without_a_limit_takes_all(void **state)
{
	struct image *image = begin(1, PID);

	(void)state;
	for (u64 i = 1; i <= 1000; i++)
		assert_int_equal(send_alloc(1, i, 100, i, 0), 0);
	assert_null(site_at(image, 0, 100));
	assert_int_equal(image->heap.no_room_count, 0);
}

#define LIMITED(name) cmocka_unit_test_setup_teardown(name, limited_setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIMITED(test_quota_site_too_many_is_booked_by_size_without_its_stack),
		LIMITED(test_quota_stack_too_many_is_not_kept_and_said_of_its_allocations),
		LIMITED(test_quota_is_one_for_all_images_and_comes_back_with_those_that_ended),
		cmocka_unit_test_setup_teardown(test_quota_without_a_limit_takes_all, setup, teardown),
	};

	return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
