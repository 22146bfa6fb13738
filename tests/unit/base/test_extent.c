/* SPDX-License-Identifier: GPL-2.0-or-later */
/* extent.c: rows handed out, given back, and handed out again when they cannot be in use by a reader any more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/extent.h"

#define ROWS 100
#define NOW  5000000000ULL

static struct extent *room;

static int setup(void **state)
{
	(void)state;
	room = extent_new(ROWS);
	return room ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	extent_free(room);
	return 0;
}

static u32 take(u32 count, u64 now_ns)
{
	u32 first;

	assert_int_equal(extent_take(room, count, now_ns, &first), 0);
	assert_true(first <= ROWS - count);
	return first;
}

static void assert_full(u32 count, u64 now_ns)
{
	u32 first;

	assert_int_equal(extent_take(room, count, now_ns, &first), -ENOSPC);
}

static void test_room_take_all_leaves_none(void **state)
{
	(void)state;
	assert_full(ROWS + 1, NOW);
	assert_int_equal(take(ROWS, NOW), 0);
	assert_full(1, NOW);
	extent_free(NULL);
}

static void test_room_given_rows_rest(void **state)
{
	u32 first = take(ROWS, NOW);

	(void)state;
	extent_give(room, first, NOW);
	assert_full(1, NOW);
	assert_full(1, NOW + EXTENT_REST_NS - 1);
	assert_int_equal(take(ROWS, NOW + EXTENT_REST_NS), first);
}

static void test_room_neighbours_given_become_one(void **state)
{
	u32 first[4];

	(void)state;
	for (u32 i = 0; i < 4; i++)
		first[i] = take(ROWS / 4, NOW);
	extent_give(room, first[1], NOW);
	extent_give(room, first[3], NOW);
	assert_full(ROWS / 2, NOW + EXTENT_REST_NS);
	extent_give(room, first[2], NOW);
	assert_full(ROWS / 2 + 1, NOW + EXTENT_REST_NS - 1);
	assert_int_equal(take(3 * (ROWS / 4), NOW + EXTENT_REST_NS), first[1]);
	assert_full(1, NOW + 2 * EXTENT_REST_NS);
}

static void test_room_resting_run_between_free_ones_keeps_them_apart(void **state)
{
	u32 first[3];

	(void)state;
	for (u32 i = 0; i < 3; i++)
		first[i] = take(30, NOW);
	extent_give(room, first[0], NOW);
	extent_give(room, first[2], NOW);
	extent_give(room, first[1], NOW + 1);
	assert_full(41, NOW + EXTENT_REST_NS);
	assert_int_equal(take(40, NOW + EXTENT_REST_NS), first[2]);
	assert_int_equal(take(60, NOW + EXTENT_REST_NS + 1), first[0]);
}

/* Taken and given at random: no row is ever handed out twice, and in the end all are there. */
static void test_room_any_order_never_hands_out_a_row_twice(void **state)
{
	u64 free_ns[ROWS] = {0}, now_ns = NOW;
	u32 firsts[ROWS], counts[ROWS], held = 0;
	unsigned int seed = 7;

	(void)state;
	for (u32 round = 0; round < 20000; round++) {
		u32 first, count = 1 + (u32)rand_r(&seed) % 12, chosen;

		now_ns += (u64)rand_r(&seed) % (EXTENT_REST_NS / 4);
		if (held < ROWS && !extent_take(room, count, now_ns, &first)) {
			for (u32 i = first; i < first + count; i++) {
				assert_true(free_ns[i] <= now_ns);
				free_ns[i] = UINT64_MAX;
			}
			firsts[held] = first;
			counts[held++] = count;
		}
		if (held && rand_r(&seed) % 3) {
			chosen = (u32)rand_r(&seed) % held;
			for (u32 i = firsts[chosen]; i < firsts[chosen] + counts[chosen]; i++)
				free_ns[i] = now_ns + EXTENT_REST_NS;
			extent_give(room, firsts[chosen], now_ns);
			firsts[chosen] = firsts[--held];
			counts[chosen] = counts[held];
		}
	}
	while (held)
		extent_give(room, firsts[--held], now_ns);
	assert_int_equal(take(ROWS, now_ns + EXTENT_REST_NS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_room_take_all_leaves_none),
		TEST(test_room_given_rows_rest),
		TEST(test_room_neighbours_given_become_one),
		TEST(test_room_resting_run_between_free_ones_keeps_them_apart),
		TEST(test_room_any_order_never_hands_out_a_row_twice),
	};

	return cmocka_run_group_tests_name("room", tests, NULL, NULL);
}
