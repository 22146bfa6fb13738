/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions call by call. */
#include <sys/mman.h>

#include "region_calls.h"

static void set_break(u64 before, u64 now, u64 stack)
{
	apply((struct event_region){.call = REGION_BRK, .old_addr = before, .addr = now}, stack);
}

static void test_regions_map_and_unmap_counts_whole_pages(void **state)
{
	(void)state;
	map(AT(0), 1, 7);
	map(AT(1), PAGE + 1, 7);
	assert_site(7, 1, 1, 1);
	assert_site(7, 2, 1, 1);
	unmap(AT(1), 5000);
	assert_site(7, 2, 1, 0);
	assert_mapped(1);
	assert_int_equal(regions.unpaired_count, 0);
	assert_int_equal(regions.partial_count, 0);
}

static void test_regions_unmap_of_the_middle_leaves_one_region_of_two_parts(void **state)
{
	(void)state;
	map(AT(0), 10 * PAGE, 7);
	unmap(AT(4), 2 * PAGE);
	assert_site(7, 10, 1, 0);
	assert_site(7, 8, 0, 1);
	unmap(AT(0), 4 * PAGE);
	assert_null(site(7, 8));
	assert_site(7, 4, 0, 1);
	assert_int_equal(regions.partial_count, 1);
	unmap(AT(6), 4 * PAGE);
	assert_null(site(7, 4));
	assert_mapped(0);
	assert_int_equal(regions.extent_count, 0);
}

static void test_regions_unmap_over_several_takes_parts_of_both_ends(void **state)
{
	(void)state;
	map(AT(0), 4 * PAGE, 1);
	map(AT(4), 4 * PAGE, 2);
	map(AT(8), 4 * PAGE, 3);
	unmap(AT(3), 6 * PAGE);
	assert_site(1, 3, 0, 1);
	assert_site(2, 4, 1, 0);
	assert_site(3, 3, 0, 1);
	assert_mapped(6);
}

static void test_regions_unmap_of_the_unknown_is_unpaired(void **state)
{
	(void)state;
	unmap(AT(100), PAGE);
	map(AT(0), PAGE, 1);
	unmap(AT(0), 2 * PAGE);
	assert_int_equal(regions.unpaired_count, 2);
	assert_mapped(0);
}

static void test_regions_map_over_another_replaces_what_was_there(void **state)
{
	(void)state;
	map(AT(0), 8 * PAGE, 1);
	map(AT(2), 3 * PAGE, 2);
	assert_site(1, 5, 0, 1);
	assert_site(2, 3, 1, 1);
	assert_mapped(8);
	assert_int_equal(regions.unpaired_count, 0);
}

/* Another thread has got the place before the call that gave it back has returned. */
static void test_regions_unmap_told_late_spares_what_was_born_meanwhile(void **state)
{
	u64 entered_ns;

	(void)state;
	map(AT(0), 4 * PAGE, 1);
	entered_ns = ++now_ns;
	map(AT(1), PAGE, 2);
	apply((struct event_region){.call = REGION_MUNMAP, .addr = AT(0), .size = 4 * PAGE, .entered_ns = entered_ns},
	      0);
	assert_site(2, 1, 1, 1);
	assert_mapped(1);
	assert_int_equal(regions.unpaired_count, 0);
}

static void test_regions_remap_in_place_grows_under_the_new_stack(void **state)
{
	(void)state;
	map(AT(0), 2 * PAGE, 1);
	remap(AT(0), 2 * PAGE, AT(0), 6 * PAGE, 0, 2);
	assert_site(1, 2, 1, 0);
	assert_site(2, 6, 1, 1);
	assert_mapped(6);
}

static void test_regions_remap_in_place_shrinks_under_the_old_stack(void **state)
{
	(void)state;
	map(AT(0), 6 * PAGE, 1);
	remap(AT(0), 6 * PAGE, AT(0), 6 * PAGE, 0, 2);
	assert_site(1, 6, 1, 1);
	remap(AT(0), 6 * PAGE, AT(0), PAGE + 1, 0, 2);
	assert_site(1, 2, 0, 1);
	assert_null(site(2, 2));
	assert_mapped(2);
}

static void test_regions_remap_elsewhere_takes_the_old_place_away(void **state)
{
	(void)state;
	map(AT(0), 4 * PAGE, 1);
	map(AT(50), 4 * PAGE, 3);
	remap(AT(1), 2 * PAGE, AT(50), 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, 2);
	assert_site(1, 2, 0, 1);
	assert_site(2, 3, 1, 1);
	assert_site(3, 1, 0, 1);
	assert_mapped(6);
}

static void test_regions_remap_that_leaves_the_old_place_maps_twice(void **state)
{
	(void)state;
	map(AT(0), 4 * PAGE, 1);
	remap(AT(0), 4 * PAGE, AT(50), 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 2);
	remap(AT(0), 0, AT(80), 4 * PAGE, MREMAP_MAYMOVE, 3);
	assert_mapped(12);
}

static void test_regions_break_grows_and_shrinks_by_pages(void **state)
{
	(void)state;
	set_break(AT(0) + 10, AT(3) + 1, 1);
	assert_site(1, 3, 1, 1);
	set_break(AT(3) + 1, AT(3) + 2, 1);
	set_break(AT(3) + 2, AT(8), 2);
	assert_site(2, 4, 1, 1);
	set_break(AT(8), AT(2) + 5, 0);
	assert_site(1, 2, 0, 1);
	assert_site(2, 4, 1, 0);
	assert_mapped(2);
}

static void test_regions_detach_takes_what_is_left_of_the_segment_alone(void **state)
{
	(void)state;
	attach(AT(0), 8 * PAGE, 1);
	map(AT(3), 2 * PAGE, 2);
	map(AT(8), PAGE, 3);
	apply((struct event_region){.call = REGION_SHMDT, .addr = AT(0)}, 0);
	assert_site(1, 8, 1, 0);
	assert_site(2, 2, 1, 1);
	assert_site(3, 1, 1, 1);
	assert_mapped(3);
	apply((struct event_region){.call = REGION_SHMDT, .addr = AT(3)}, 0);
	apply((struct event_region){.call = REGION_SHMDT, .addr = AT(90)}, 0);
	assert_mapped(3);
	assert_int_equal(regions.unpaired_count, 2);
}

static void test_regions_detach_of_a_segment_without_its_first_pages(void **state)
{
	(void)state;
	attach(AT(0), 8 * PAGE, 1);
	unmap(AT(0), PAGE);
	map(AT(1), PAGE, 2);
	apply((struct event_region){.call = REGION_SHMDT, .addr = AT(0)}, 0);
	assert_site(1, 8, 1, 0);
	assert_site(2, 1, 1, 1);
	assert_mapped(1);
	assert_int_equal(regions.unpaired_count, 0);
}

static void test_regions_beyond_the_limit_of_sites_have_no_stack(void **state)
{
	struct quota quota = {.max = 1};

	(void)state;
	share.quota = &quota;
	map(AT(0), PAGE, 1);
	map(AT(1), PAGE, 2);
	map(AT(2), PAGE, 1);
	assert_site(1, 1, 2, 2);
	assert_site(0, 1, 1, 1);
	assert_mapped(3);
}

static void test_regions_of_sizes_that_wrap_are_none(void **state)
{
	(void)state;
	map(AT(0), UINT64_MAX, 1);
	map(UINT64_MAX - PAGE + 1, 4 * PAGE, 1);
	unmap(UINT64_MAX - 10, 4 * PAGE);
	map(AT(0), 0, 1);
	assert_int_equal(regions.extent_count, 0);
	assert_mapped(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_regions_map_and_unmap_counts_whole_pages),
		TEST(test_regions_unmap_of_the_middle_leaves_one_region_of_two_parts),
		TEST(test_regions_unmap_over_several_takes_parts_of_both_ends),
		TEST(test_regions_unmap_of_the_unknown_is_unpaired),
		TEST(test_regions_map_over_another_replaces_what_was_there),
		TEST(test_regions_unmap_told_late_spares_what_was_born_meanwhile),
		TEST(test_regions_remap_in_place_grows_under_the_new_stack),
		TEST(test_regions_remap_in_place_shrinks_under_the_old_stack),
		TEST(test_regions_remap_elsewhere_takes_the_old_place_away),
		TEST(test_regions_remap_that_leaves_the_old_place_maps_twice),
		TEST(test_regions_break_grows_and_shrinks_by_pages),
		TEST(test_regions_detach_takes_what_is_left_of_the_segment_alone),
		TEST(test_regions_detach_of_a_segment_without_its_first_pages),
		TEST(test_regions_beyond_the_limit_of_sites_have_no_stack),
		TEST(test_regions_of_sizes_that_wrap_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
