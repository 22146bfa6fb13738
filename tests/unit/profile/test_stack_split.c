/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/array.h"
#include "profile/stack_split.h"

#define PAGE  4096ULL
#define STACK (16 * PAGE)
#define START 0x100000ULL

static struct smaps smaps;
static bool readable;

static struct smaps_area *add(u64 start, u64 pages, bool rw)
{
	assert_int_equal(array_grow(&smaps.areas, smaps.count, 1), 0);
	smaps.areas[smaps.count] =
		(struct smaps_area){.start = start, .end = start + pages * PAGE, .readable = rw, .writable = rw};
	return &smaps.areas[smaps.count++];
}

/* Three pages of the stack are resident, one is swapped out. */
static bool count(void *arg, u64 start, u64 end, u64 *ret_resident, u64 *ret_swapped)
{
	(void)arg;
	assert_int_equal(start, START);
	assert_int_equal(end, START + STACK);
	*ret_resident = 3 * PAGE;
	*ret_swapped = PAGE;
	return readable;
}

static int setup(void **state)
{
	struct smaps_area *area;

	(void)state;
	readable = true;
	add(START - PAGE, 1, false);
	area = add(START, 20, true);
	area->resident = 7 * PAGE;
	area->share = 7 * PAGE;
	area->swap = 2 * PAGE;
	area->lazy = 5 * PAGE;
	add(START + 40 * PAGE, 1, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	smaps_release(&smaps);
	return 0;
}

static void split_at(u64 pointer, u64 stack_bytes, u32 areas)
{
	assert_int_equal(stack_split(&smaps, &pointer, 1, stack_bytes, count, NULL), 0);
	assert_int_equal(smaps.count, areas);
}

static void split(u64 pointer, u32 areas)
{
	split_at(pointer, STACK, areas);
}

static void test_stack_split_makes_two_areas_that_add_up(void **state)
{
	const struct smaps_area *stack, *rest;

	(void)state;
	split(START + STACK - 1, 4);
	stack = &smaps.areas[1];
	rest = &smaps.areas[2];
	assert_true(stack->start == START && stack->end == START + STACK);
	assert_true(rest->start == START + STACK && rest->end == START + 20 * PAGE);
	assert_true(stack->resident == 3 * PAGE && rest->resident == 4 * PAGE);
	assert_true(stack->share == 3 * PAGE && rest->share == 4 * PAGE);
	assert_true(stack->swap == PAGE && rest->swap == PAGE);
	assert_true(stack->lazy == 0 && rest->lazy == 4 * PAGE);
	assert_int_equal(smaps.areas[3].start, START + 40 * PAGE);
}

static void test_stack_split_leaves_alone_what_is_no_such_stack(void **state)
{
	(void)state;
	split(START + STACK, 3);     /* the pointer is above a stack of the usual size */
	split(START + STACK / 2, 3); /* of a smaller stack */
	smaps.areas[1].stack = true; /* the kernel keeps it apart */
	split(START + STACK - 1, 3);
	smaps.areas[1].stack = false;
	smaps.areas[0].readable = true; /* no guard */
	split(START + STACK - 1, 3);
	smaps.areas[0].readable = false;
	smaps.areas[1].end = START + STACK; /* nothing above it */
	split(START + STACK - 1, 3);
}

static void test_stack_split_of_a_size_beyond_all_addresses(void **state)
{
	(void)state;
	split_at(START + STACK - 1, UINT64_MAX - 2 * PAGE + 1, 3);
	split_at(START + STACK - 1, UINT64_MAX, 3);
}

static void test_stack_split_without_the_map_of_pages_leaves_the_area_whole(void **state)
{
	(void)state;
	readable = false;
	split(START + STACK - 1, 3);
	assert_int_equal(smaps.areas[1].resident, 7 * PAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stack_split_makes_two_areas_that_add_up),
		TEST(test_stack_split_leaves_alone_what_is_no_such_stack),
		TEST(test_stack_split_of_a_size_beyond_all_addresses),
		TEST(test_stack_split_without_the_map_of_pages_leaves_the_area_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
