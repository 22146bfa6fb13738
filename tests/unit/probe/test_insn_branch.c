/* SPDX-License-Identifier: GPL-2.0-or-later */
/* insn_branch.c: where a function's code jumps to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "probe/insn_branch.h"

#define SEEN_MAX 8

struct seen {
	struct insn_branch branches[SEEN_MAX];
	unsigned int count;
	unsigned int stop_at;
};

static int see(const struct insn_branch *branch, void *arg)
{
	struct seen *seen = arg;

	assert_true(seen->count < SEEN_MAX);
	seen->branches[seen->count++] = *branch;
	return seen->count == seen->stop_at ? 42 : 0;
}

#define LOOK(code, seen) insn_branch_for_each((const u8 *)(code), sizeof(code) - 1, see, seen)

static void test_branch_first_jump_is_told_from_later_ones(void **state)
{
	struct seen plain = {0}, marked = {0}, late = {0}, conditional = {0};

	(void)state;
	assert_int_equal(LOOK("\xe9\xfb\x0f\x00\x00", &plain), 0);
	assert_int_equal(plain.branches[0].target, 0x1000);
	assert_true(plain.branches[0].first && plain.branches[0].always);
	/* endbr64 */
	LOOK("\xf3\x0f\x1e\xfa\xeb\x10", &marked);
	assert_int_equal(marked.branches[0].target, 0x16);
	assert_true(marked.branches[0].first);
	/* mov %rsi,%rdi */
	LOOK("\x48\x89\xf7\xe9\xf8\xff\xff\xff", &late);
	assert_int_equal(late.branches[0].target, 0);
	assert_false(late.branches[0].first);
	assert_true(late.branches[0].always);
	LOOK("\x74\x10", &conditional);
	assert_false(conditional.branches[0].first || conditional.branches[0].always);
}

static void test_branch_calls_and_conditions_are_seen_indirect_ones_are_not(void **state)
{
	struct seen seen = {0};

	(void)state;
	/* call +0x10; jne -0x20; call *%rax; jmp *%rax; jmp *8(%rip); ret; jmp -1 */
	LOOK("\xe8\x0b\x00\x00\x00\x0f\x85\xd5\xff\xff\xff\xff\xd0\xff\xe0\xff\x25\x08\x00\x00\x00\xc3\xeb\xe7", &seen);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.branches[0].target, 0x10);
	assert_false(seen.branches[0].always);
	assert_true(seen.branches[0].call);
	assert_int_equal(seen.branches[1].target, -0x20);
	assert_false(seen.branches[1].call);
	assert_int_equal(seen.branches[2].target, -1);
}

static void test_branch_what_each_returns_ends_it(void **state)
{
	struct seen seen = {.stop_at = 2};

	(void)state;
	assert_int_equal(LOOK("\xeb\x00\xeb\x00\xeb\x00", &seen), 42);
	assert_int_equal(seen.count, 2);
}

static void test_branch_bytes_that_are_no_code_are_passed_over(void **state)
{
	struct seen seen = {0};

	(void)state;
	LOOK("\x06\xeb\x00", &seen);
	assert_int_equal(seen.count, 1);
	assert_int_equal(seen.branches[0].target, 3);
	assert_false(seen.branches[0].first);
}

static int count_one(const struct insn_branch *branch, void *arg)
{
	(void)branch;
	++*(unsigned int *)arg;
	return 0;
}

/* For any bytes, it stays within them (the sanitizers look) and ends. */
static void test_branch_of_noise_ends(void **state)
{
	unsigned int count = 0;

	(void)state;
	srandom(1);
	for (unsigned int round = 0; round < 2000; round++) {
		size_t size = 1 + (size_t)random() % 64;
		u8 *code = malloc(size);

		for (size_t i = 0; i < size; i++)
			code[i] = (u8)random();
		assert_int_equal(insn_branch_for_each(code, size, count_one, &count), 0);
		free(code);
	}
	assert_true(count > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_branch_first_jump_is_told_from_later_ones),
		cmocka_unit_test(test_branch_calls_and_conditions_are_seen_indirect_ones_are_not),
		cmocka_unit_test(test_branch_what_each_returns_ends_it),
		cmocka_unit_test(test_branch_bytes_that_are_no_code_are_passed_over),
		cmocka_unit_test(test_branch_of_noise_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
