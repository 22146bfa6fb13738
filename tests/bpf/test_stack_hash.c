/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stackhash.h: what the hash of a stack depends on; and that user space finds the same as the programs. */
#include <stdlib.h>

#include "include/stackhash.h"
#include "stack_capture.h"

static struct event_stack example;

static void test_stack_hash_depends_on_every_frame_the_depth_and_the_process(void **state)
{
	u64 hash;

	(void)state;
	for (u32 i = 0; i < STACK_DEPTH_MAX; i++)
		example.ip[i] = 0x400000 + i;
	hash = stackhash(example.ip, STACK_DEPTH_MAX, PROCESS);
	assert_true(stackhash(example.ip, STACK_DEPTH_MAX, PROCESS) == hash);
	assert_true(stackhash(example.ip, STACK_DEPTH_MAX - 1, PROCESS) != hash);
	assert_true(stackhash(example.ip, STACK_DEPTH_MAX, PROCESS + 1) != hash);
	for (u32 i = 0; i < STACK_DEPTH_MAX; i++) {
		example.ip[i] ^= 1;
		assert_true(stackhash(example.ip, STACK_DEPTH_MAX, PROCESS) != hash);
		example.ip[i] ^= 1;
	}
}

static void test_stack_hash_depends_on_the_order_of_frames(void **state)
{
	u64 hash;

	(void)state;
	example.ip[0] = 0x401000;
	example.ip[1] = 0x402000;
	hash = stackhash(example.ip, 2, PROCESS);
	example.ip[0] = 0x402000;
	example.ip[1] = 0x401000;
	assert_true(stackhash(example.ip, 2, PROCESS) != hash);
}

static void test_stack_hash_ignores_what_lies_beyond_the_depth(void **state)
{
	u64 hash;

	(void)state;
	example.ip[0] = 0x401000;
	example.ip[1] = 0x402000;
	hash = stackhash(example.ip, 1, PROCESS);
	example.ip[1] = 0x999999;
	assert_true(stackhash(example.ip, 1, PROCESS) == hash);
}

static int compare(const void *one, const void *two)
{
	const u64 *a = one, *b = two;

	return *a < *b ? -1 : *a > *b;
}

/* Stacks of like programs: few, near, aligned addresses. With 64 good bits two of 200 000 collide once in a thousand
 * million. */
static void test_stack_hash_similar_stacks_do_not_collide(void **state)
{
	enum {
		MANY = 200000
	};
	u64 *hashes = malloc(MANY * sizeof(*hashes));

	(void)state;
	for (u32 n = 0; n < MANY; n++) {
		example.ip[0] = 0x7f0000001000 + 16 * (n % 100);
		example.ip[1] = 0x7f0000002000 + 16 * (n / 100 % 100);
		example.ip[2] = 0x7f0000003000 + 16 * (n / 10000);
		hashes[n] = stackhash(example.ip, 3, PROCESS);
	}
	qsort(hashes, MANY, sizeof(*hashes), compare);
	for (u32 n = 1; n < MANY; n++)
		assert_true(hashes[n] != hashes[n - 1]);
	free(hashes);
}

/* The frames and a stack's name tell which mapping list it was walked by. */
static void test_stack_hash_of_the_programs_tells_the_generation(void **state)
{
	static const u32 generations[] = {1, 2, 77, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(generations) / sizeof(*generations); i++) {
		u64 hash;

		scope.generation = generations[i];
		hash = capture(PROCESS);
		assert_true(next_stack(3)->stack == hash);
		assert_true(hash == stackhash(expected, 3, stackhash_seed(PROCESS, generations[i])));
		assert_false(hash == stackhash(expected, 3, stackhash_seed(PROCESS, generations[i] + 1)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stack_hash_depends_on_every_frame_the_depth_and_the_process),
		TEST(test_stack_hash_depends_on_the_order_of_frames),
		TEST(test_stack_hash_ignores_what_lies_beyond_the_depth),
		TEST(test_stack_hash_similar_stacks_do_not_collide),
		TEST(test_stack_hash_of_the_programs_tells_the_generation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
