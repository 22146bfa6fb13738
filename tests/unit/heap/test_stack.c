/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack.c: interned stacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "include/event.h"
#include "heap/stack.h"

static const u64 frames[STACK_DEPTH_MAX] = {0x401000, 0x402000, 0x403000};

static void test_stack_table_add_is_found_as_it_was(void **state)
{
	struct stack_table table = {0};
	struct stack *stack;

	(void)state;
	assert_int_equal(stack_table_add(&table, 77, 5, frames, 3), 0);
	stack = stack_table_find(&table, 77);
	assert_non_null(stack);
	assert_int_equal(stack->hash, 77);
	assert_int_equal(stack->first_ns, 5);
	assert_int_equal(stack->depth, 3);
	assert_memory_equal(stack->ip, frames, 3 * sizeof(u64));
	stack_table_release(&table);
}

static void test_stack_table_add_again_keeps_the_first(void **state)
{
	struct stack_table table = {0};

	(void)state;
	assert_int_equal(stack_table_add(&table, 77, 5, frames, 3), 0);
	assert_int_equal(stack_table_add(&table, 77, 9, frames, 1), 0);
	assert_int_equal(HASH_COUNT(table.stacks), 1);
	assert_int_equal(stack_table_find(&table, 77)->first_ns, 5);
	assert_int_equal(stack_table_find(&table, 77)->depth, 3);
	stack_table_release(&table);
}

static void test_stack_table_find_unknown_is_null(void **state)
{
	struct stack_table table = {0};

	(void)state;
	assert_null(stack_table_find(&table, 0));
	stack_table_add(&table, 77, 5, frames, 3);
	assert_null(stack_table_find(&table, 78));
	stack_table_release(&table);
	assert_null(stack_table_find(&table, 77));
}

static void test_stack_table_deepest_stack_is_kept_whole(void **state)
{
	struct stack_table table = {0};
	u64 deep[STACK_DEPTH_MAX];

	(void)state;
	for (u32 i = 0; i < STACK_DEPTH_MAX; i++)
		deep[i] = 0x400000 + i;
	stack_table_add(&table, 1, 1, deep, STACK_DEPTH_MAX);
	assert_memory_equal(stack_table_find(&table, 1)->ip, deep, sizeof(deep));
	stack_table_release(&table);
}

static void test_stack_table_many_stacks_are_told_apart(void **state)
{
	struct stack_table table = {0};

	(void)state;
	for (u64 hash = 1; hash <= 5000; hash++)
		assert_int_equal(stack_table_add(&table, hash << 32, hash, &hash, 1), 0);
	for (u64 hash = 1; hash <= 5000; hash++)
		assert_int_equal(stack_table_find(&table, hash << 32)->ip[0], hash);
	stack_table_release(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stack_table_add_is_found_as_it_was),
		cmocka_unit_test(test_stack_table_add_again_keeps_the_first),
		cmocka_unit_test(test_stack_table_find_unknown_is_null),
		cmocka_unit_test(test_stack_table_deepest_stack_is_kept_whole),
		cmocka_unit_test(test_stack_table_many_stacks_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
