/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map_sizes.c: as usual where there is room, and smaller maps, never none, where a control group leaves little. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "include/config.h"
#include "trace/map_sizes.h"

#define MIB (1ULL << 20)

static void assert_sizes(bool dense, u64 room_mib, u64 ring_bytes, u64 live_rows, u64 unwind_rows)
{
	struct map_sizes sizes = map_sizes_choose(dense, 2, room_mib * MIB);

	assert_int_equal(sizes.ring_bytes, ring_bytes);
	assert_int_equal(sizes.live_rows, live_rows);
	assert_int_equal(sizes.unwind_rows, unwind_rows);
}

static void test_sizes_without_a_limit_are_the_usual_ones(void **state)
{
	struct map_sizes sizes = map_sizes_choose(false, 2, UINT64_MAX), dense = map_sizes_choose(true, 2, UINT64_MAX);

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
	struct map_sizes least = map_sizes_choose(false, 2, 0);

	(void)state;
	assert_in_range(map_sizes_needed(&least), 40 * MIB, 60 * MIB);
	assert_sizes(false, 0, 1 * MIB, 1 << 16, 1 << 19);
	assert_sizes(true, 0, 1 * MIB, 1 << 16, 1 << 19);
}

/* As many buffers and counters as processors: a container of few megabytes on a large machine. */
static void test_sizes_count_the_processors(void **state)
{
	struct map_sizes few = map_sizes_choose(false, 2, 0), many = map_sizes_choose(false, 128, 0);

	(void)state;
	assert_true(map_sizes_needed(&many) > map_sizes_needed(&few) + 30 * MIB);
}

static bool is_power_of_two(u64 number)
{
	return number && !(number & (number - 1));
}

/* The kernel takes a ring of whole pages whose number is a power of two; others have at least as much as the maps. */
static void test_sizes_of_any_room_are_sound(void **state)
{
	struct map_sizes before = map_sizes_choose(false, 2, 0), least = before;

	(void)state;
	for (u64 room = 0; room < 256 * MIB; room += MIB / 2) {
		struct map_sizes sizes = map_sizes_choose(false, 2, room);

		assert_true(is_power_of_two(sizes.ring_bytes) && sizes.ring_bytes % (u64)sysconf(_SC_PAGESIZE) == 0);
		assert_true(is_power_of_two(sizes.live_rows) && is_power_of_two(sizes.unwind_rows));
		assert_true(map_sizes_bytes(&sizes) >= map_sizes_bytes(&before));
		assert_true(map_sizes_bytes(&sizes) <= room / 2 || map_sizes_bytes(&sizes) == map_sizes_bytes(&least));
		before = sizes;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_without_a_limit_are_the_usual_ones),
		cmocka_unit_test(test_sizes_of_a_small_group_are_smaller),
		cmocka_unit_test(test_sizes_without_room_are_the_least),
		cmocka_unit_test(test_sizes_count_the_processors),
		cmocka_unit_test(test_sizes_of_any_room_are_sound),
	};

	return cmocka_run_group_tests_name("map_sizes", tests, NULL, NULL);
}
