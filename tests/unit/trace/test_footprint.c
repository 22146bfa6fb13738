/* SPDX-License-Identifier: GPL-2.0-or-later */
/* footprint.c: as usual where there is room, and smaller maps, never none, where a control group leaves little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "include/config.h"
#include "trace/footprint.h"

#define MIB (1ULL << 20)

static void assert_sizes(bool dense, u64 room_mib, u64 ring_bytes, u64 live_rows, u64 unwind_rows)
{
	struct footprint sizes = footprint_choose(dense, 2, room_mib * MIB);

	assert_int_equal(sizes.ring_bytes, ring_bytes);
	assert_int_equal(sizes.live_rows, live_rows);
	assert_int_equal(sizes.unwind_rows, unwind_rows);
}

static void test_sizes_without_a_limit_are_the_usual_ones(void **state)
{
	struct footprint sizes = footprint_choose(false, 2, UINT64_MAX), dense = footprint_choose(true, 2, UINT64_MAX);

	(void)state;
	assert_sizes(false, 200, sizes.ring_bytes, sizes.live_rows, sizes.unwind_rows);
	assert_int_equal(sizes.ring_bytes, 16 * MIB);
	assert_int_equal(sizes.live_rows, 1 << 20);
	assert_int_equal(sizes.unwind_rows, UNWIND_ROWS_MAX);
	assert_int_equal(dense.ring_bytes, 64 * MIB);
	assert_int_equal(dense.live_rows, 1 << 22);
	assert_int_equal(dense.unwind_rows, UNWIND_ROWS_MAX);
}

static void test_sizes_of_a_small_group_are_smaller(void **state)
{
	(void)state;
	assert_sizes(false, 150, 8 * MIB, 1 << 19, UNWIND_ROWS_MAX);
	/* The tables last. */
	assert_sizes(false, 96, 1 * MIB, 1 << 16, UNWIND_ROWS_MAX);
	assert_sizes(false, 80, 1 * MIB, 1 << 16, UNWIND_ROWS_MAX / 2);
	assert_sizes(true, 160, 16 * MIB, 1 << 20, UNWIND_ROWS_MAX);
}

/* There it is the need, which includes what loading takes, that is too much. */
static void test_sizes_without_room_are_the_least(void **state)
{
	struct footprint least = footprint_choose(false, 2, 0);

	(void)state;
	assert_in_range(footprint_needed(&least), 40 * MIB, 60 * MIB);
	assert_sizes(false, 0, 1 * MIB, 1 << 16, 1 << 19);
	assert_sizes(true, 0, 1 * MIB, 1 << 16, 1 << 19);
}

static void test_footprint_small_is_the_least_there_is(void **state)
{
	struct footprint small = footprint_least(2), none = footprint_choose(true, 2, 0),
			 all = footprint_choose(false, 2, UINT64_MAX);

	(void)state;
	assert_memory_equal(&small, &none, sizeof(small));
	assert_int_equal(small.sites, 16384);
	assert_int_equal(small.raw_bytes, 2 * MIB);
	assert_int_equal(all.sites, 1 << 20);
	assert_int_equal(all.raw_bytes, 16 * MIB);
}

/* 720 bytes a site: of what loading leaves of 1 GiB a quarter, and never more than there is. */
static void test_footprint_of_sites_follows_the_room(void **state)
{
	(void)state;
	assert_in_range(footprint_choose(false, 2, 1024 * MIB).sites, 350000, 380000);
	assert_int_equal(footprint_choose(false, 2, 64 * MIB).sites, 16384);
	assert_int_equal(footprint_choose(false, 2, 64 * MIB).raw_bytes, 34 * MIB / 16);
	assert_int_equal(footprint_choose(false, 2, 4096 * MIB).sites, 1 << 20);
}

/* As many buffers and counters as processors: a container of few megabytes on a large machine. */
static void test_sizes_count_the_processors(void **state)
{
	struct footprint few = footprint_choose(false, 2, 0), many = footprint_choose(false, 128, 0);

	(void)state;
	assert_true(footprint_needed(&many) > footprint_needed(&few) + 30 * MIB);
}

static bool is_power_of_two(u64 number)
{
	return number && !(number & (number - 1));
}

/* The kernel takes a ring of whole pages whose number is a power of two; others have at least as much as the maps. */
static void test_sizes_of_any_room_are_sound(void **state)
{
	struct footprint before = footprint_choose(false, 2, 0), least = before;

	(void)state;
	for (u64 room = 0; room < 256 * MIB; room += MIB / 2) {
		struct footprint sizes = footprint_choose(false, 2, room);

		assert_true(is_power_of_two(sizes.ring_bytes) && sizes.ring_bytes % (u64)sysconf(_SC_PAGESIZE) == 0);
		assert_true(is_power_of_two(sizes.live_rows) && is_power_of_two(sizes.unwind_rows));
		assert_true(footprint_maps(&sizes) >= footprint_maps(&before));
		assert_true(footprint_maps(&sizes) <= room / 2 || footprint_maps(&sizes) == footprint_maps(&least));
		before = sizes;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_without_a_limit_are_the_usual_ones),
		cmocka_unit_test(test_sizes_of_a_small_group_are_smaller),
		cmocka_unit_test(test_sizes_without_room_are_the_least),
		cmocka_unit_test(test_footprint_small_is_the_least_there_is),
		cmocka_unit_test(test_footprint_of_sites_follows_the_room),
		cmocka_unit_test(test_sizes_count_the_processors),
		cmocka_unit_test(test_sizes_of_any_room_are_sound),
	};

	return cmocka_run_group_tests_name("footprint", tests, NULL, NULL);
}
