/* SPDX-License-Identifier: GPL-2.0-or-later */
/* system/address_gap: places in memory as real processes have it, and what is kept free in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "system/address_gap.h"

#define PAGE  4096ULL
#define REACH ((1ULL << 31) - (1 << 20))

/* A program that is linked dynamically, with a hole of 1 MiB between its libraries. */
static const char dynamic[] = "555555554000-555555560000 r-xp 00000000 08:01 100  /usr/bin/cat\n"
			      "555555561000-555555582000 rw-p 00000000 00:00 0    [heap]\n"
			      "7ffff7a00000-7ffff7b00000 r-xp 00000000 08:01 101  /usr/lib/other.so\n"
			      "7ffff7c00000-7ffff7e00000 r-xp 00000000 08:01 102  /usr/lib/libc.so.6\n"
			      "7ffff7e01000-7ffff7ff0000 r-xp 00000000 08:01 103  /usr/lib/ld.so\n"
			      "7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0    [stack]\n"
			      "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\n";

static struct gap_request near_libc(u64 bytes)
{
	return (struct gap_request){
		.start = 0x7ffff7c10000,
		.end = 0x7ffff7c20000,
		.bytes = bytes,
		.reach = REACH,
		.heap = 0x555555561000,
	};
}

static void test_address_gap_is_the_nearest(void **state)
{
	struct gap_request request = near_libc(16 * PAGE);

	(void)state;
	/* At the upper end of the hole, a page from libc. */
	assert_int_equal(address_gap_choose(dynamic, &request), 0x7ffff7c00000 - 17 * PAGE);
	request = near_libc(0x100000 - 2 * PAGE);
	assert_int_equal(address_gap_choose(dynamic, &request), 0x7ffff7b00000 + PAGE);
	/* It does not fit with a page on each side: below all libraries, as what is above is the stack's. */
	request = near_libc(0x100000 - PAGE);
	assert_int_equal(address_gap_choose(dynamic, &request), 0x7ffff7a00000 - PAGE - (0x100000 - PAGE));
}

static void test_address_gap_out_of_reach(void **state)
{
	struct gap_request request = near_libc(16 * PAGE);

	(void)state;
	request.reach = 0x10000;
	assert_int_equal(address_gap_choose(dynamic, &request), 0);
	request = near_libc(16 * PAGE);
	request.bytes = REACH;
	assert_int_equal(address_gap_choose(dynamic, &request), 0);
	assert_int_equal(address_gap_choose("", &request), 0);
	assert_int_equal(address_gap_choose("nonsense\n", &request), 0);
}

/* A static program, whose heap has not begun yet or lies right above it: below the program there is room. */
static void test_address_gap_leaves_the_heap_room(void **state)
{
	static const char heap[] = "555555554000-555555560000 r-xp 00000000 08:01 100  /usr/bin/cat\n"
				   "555555661000-555565582000 rw-p 00000000 00:00 0    [heap]\n"
				   "7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0    [stack]\n";
	static const char low[] = "400000-460000 r-xp 00000000 08:01 100  /usr/bin/cat\n"
				  "7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0    [stack]\n";
	struct gap_request request = {
		.start = 0x555555555000,
		.end = 0x555555556000,
		.bytes = 16 * PAGE,
		.reach = REACH,
		.heap = 0x555555661000,
	};

	(void)state;
	assert_int_equal(address_gap_choose(heap, &request), 0x555555554000 - 17 * PAGE);
	request.start = 0x555565580000;
	request.end = 0x555565581000;
	/* Between program and heap. */
	assert_int_equal(address_gap_choose(heap, &request), 0x555555661000 - 17 * PAGE);
	request = (struct gap_request){
		.start = 0x401000, .end = 0x402000, .bytes = 4 << 20, .reach = REACH, .heap = 0x461000};
	/* No room below: at a distance from the heap's beginning. */
	assert_int_equal(address_gap_choose(low, &request), 0x461000 + (1ULL << 30) + PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_gap_is_the_nearest),
		cmocka_unit_test(test_address_gap_out_of_reach),
		cmocka_unit_test(test_address_gap_leaves_the_heap_room),
	};

	return cmocka_run_group_tests_name("address_gap", tests, NULL, NULL);
}
