/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arena.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

#define THINGS 5000

/* Each has its own place, aligned, whatever its size is. */
static void test_arena_gives_every_thing_a_place_of_its_own(void **state)
{
	static unsigned char *things[THINGS];
	struct arena arena = {0};

	(void)state;
	for (size_t i = 0; i < THINGS; i++) {
		things[i] = arena_take(&arena, i % 97);
		assert_non_null(things[i]);
		assert_int_equal((uintptr_t)things[i] % sizeof(void *), 0);
		memset(things[i], (int)(i % 251), i % 97);
	}
	for (size_t i = 0; i < THINGS; i++)
		for (size_t j = 0; j < i % 97; j++)
			assert_int_equal(things[i][j], i % 251);
	arena_release(&arena);
	assert_null(arena.blocks);
}

/* Thousands of processes have few things each. */
static void test_arena_takes_little_for_little_and_enough_for_much(void **state)
{
	struct arena arena = {0};

	(void)state;
	assert_non_null(arena_take(&arena, 1));
	assert_true(arena.total <= 1024);
	memset(arena_take(&arena, 10000000), 1, 10000000);
	for (size_t i = 0; i < 1000000; i++)
		assert_non_null(arena_take(&arena, 84));
	assert_true(arena.total < 10000000 + 1000000 * 88 * 1.1);
	arena_release(&arena);
}

/* AddressSanitizer asks for its options here: it would end the program. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void test_arena_refuses_what_no_memory_has(void **state)
{
	struct arena arena = {0};

	(void)state;
	assert_null(arena_take(&arena, SIZE_MAX));
	assert_null(arena_take(&arena, SIZE_MAX - 7));
	assert_null(arena_take(&arena, SIZE_MAX / 2));
	assert_non_null(arena_take(&arena, 0));
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arena_gives_every_thing_a_place_of_its_own),
		cmocka_unit_test(test_arena_takes_little_for_little_and_enough_for_much),
		cmocka_unit_test(test_arena_refuses_what_no_memory_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
