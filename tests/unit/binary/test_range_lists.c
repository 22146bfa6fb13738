/* SPDX-License-Identifier: GPL-2.0-or-later */
/* range_lists.c: how many bases may follow each other, in both kinds of lists, wherever one begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "binary/range_lists.h"

static u8 list[20 * (RANGE_LISTS_BASES_MAX + 2)];

/* So many times the entry, from there on; behind it other bytes. */
static u64 fill(u64 at, unsigned int count, const char *entry, u64 size)
{
	memset(list, 0x33, sizeof(list));
	for (unsigned int i = 0; i < count; i++, at += size)
		memcpy(list + at, entry, size);
	return at + 3;
}

static void assert_bases(const char *entry, u64 size, bool old)
{
	for (u64 at = 0; at < 17; at++) {
		assert_false(range_lists_are_slow(list, fill(at, RANGE_LISTS_BASES_MAX, entry, size), old));
		assert_true(range_lists_are_slow(list, fill(at, RANGE_LISTS_BASES_MAX + 1, entry, size), old));
	}
}

static void test_range_lists_bases_are_counted(void **state)
{
	(void)state;
	assert_bases("\xff\xff\xff\xff\xff\xff\xff\xff\x10\0\0\0\0\0\0\0", 16, true);
	assert_bases("\xff\xff\xff\xff\x10\0\0\0", 8, true);
	assert_bases("\x05\x10\0\0\0\0\0\0\0", 9, false);
	assert_bases("\x05\x10\0\0\0", 5, false);
	assert_bases("\x01\x07", 2, false);
	assert_bases("\x01\x87\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, false);
}

/* A range between them is paid for. */
static void test_range_lists_with_ranges_between_bases_are_read(void **state)
{
	static const char old[] =
		"\xff\xff\xff\xff\xff\xff\xff\xff\x10\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x20\0\0\0\0\0\0";

	(void)state;
	assert_false(range_lists_are_slow(list, fill(0, 100, old, sizeof(old)), true));
	assert_false(range_lists_are_slow(list, fill(0, 4000, "\x01\x07\x04\x10\x20", 5), false));
	assert_false(range_lists_are_slow(list, 0, true));
	assert_false(range_lists_are_slow(list, 0, false));
}

/* The section's end cuts off the last entry: what is behind it is not looked at, as a sanitizer sees. */
static void assert_cut_off(const char *entry, u64 size, bool old)
{
	for (u64 cut = 1; cut < size; cut++) {
		u64 bytes = RANGE_LISTS_BASES_MAX * size + cut;
		u8 *exact = malloc(bytes);

		assert_non_null(exact);
		fill(0, RANGE_LISTS_BASES_MAX + 1, entry, size);
		memcpy(exact, list, bytes);
		range_lists_are_slow(exact, bytes, old);
		free(exact);
	}
}

static void test_range_lists_may_be_cut_off(void **state)
{
	(void)state;
	assert_cut_off("\xff\xff\xff\xff\xff\xff\xff\xff\x10\0\0\0\0\0\0\0", 16, true);
	assert_cut_off("\x05\x10\0\0\0\0\0\0\0", 9, false);
	assert_cut_off("\x01\x87\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range_lists_bases_are_counted),
		cmocka_unit_test(test_range_lists_with_ranges_between_bases_are_read),
		cmocka_unit_test(test_range_lists_may_be_cut_off),
	};

	return cmocka_run_group_tests_name("range_lists", tests, NULL, NULL);
}
