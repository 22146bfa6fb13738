/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse_number.c: sizes and times as people write them, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/parse_number.h"

static void check_bytes(const char *text, u64 wanted)
{
	u64 bytes = 0;

	assert_int_equal(parse_bytes(text, UINT64_MAX, &bytes), 0);
	assert_int_equal(bytes, wanted);
}

static void test_bytes_in_every_spelling(void **state)
{
	(void)state;
	check_bytes("1", 1);
	check_bytes("007", 7);
	check_bytes("512B", 512);
	check_bytes("2k", 2048);
	check_bytes("64K", 65536);
	check_bytes("64KB", 65536);
	check_bytes("64kb", 65536);
	check_bytes("64KiB", 65536);
	check_bytes("64kib", 65536);
	check_bytes("0.5M", 524288);
	check_bytes(".5MiB", 524288);
	check_bytes("3.M", 3145728);
	check_bytes("1.5GiB", 1610612736);
	check_bytes("0.3K", 307);
	check_bytes("18446744073709551615", UINT64_MAX);
	check_bytes("17179869183G", 17179869183ull << 30);
}

static void test_bytes_that_are_none(void **state)
{
	static const char *const wrong[] = {"",	   "K",	   ".K",    ".",      "-1",   "+1",  " 1",  "1 ",
					    "1 K", "1.5",  "1.5B",  "1e6",    "0x10", "1T",  "1KK", "1Ki",
					    "1iB", "1KBB", "1kbit", "1.2.3K", "inf",  "1e1K"};
	u64 bytes;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(parse_bytes(wrong[i], UINT64_MAX, &bytes), -EINVAL);
}

static void test_bytes_out_of_range(void **state)
{
	u64 bytes;

	(void)state;
	assert_int_equal(parse_bytes("0", 100, &bytes), -EDOM);
	assert_int_equal(parse_bytes("0.0005K", 100, &bytes), -EDOM);
	assert_int_equal(parse_bytes("101", 100, &bytes), -ERANGE);
	assert_int_equal(parse_bytes("0.1K", 101, &bytes), -ERANGE);
	assert_int_equal(parse_bytes("18446744073709551616", UINT64_MAX - 1, &bytes), -ERANGE);
	assert_int_equal(parse_bytes("99999999999999999999999G", UINT64_MAX, &bytes), -ERANGE);
}

static void check_seconds(const char *text, double wanted)
{
	double seconds = 0;

	assert_int_equal(parse_seconds(text, 1e9, &seconds), 0);
	assert_true(seconds == wanted);
}

static void test_seconds_in_every_spelling(void **state)
{
	(void)state;
	check_seconds("1", 1);
	check_seconds("0.25", 0.25);
	check_seconds(".5", 0.5);
	check_seconds("3.", 3);
	check_seconds("90s", 90);
	check_seconds("1m", 60);
	check_seconds("5m", 300);
	check_seconds("1.5h", 5400);
	check_seconds("1h30m", 5400);
	check_seconds("1d", 86400);
	check_seconds("250ms", 0.25);
	check_seconds("1d2h3m4s500ms", 93784.5);
}

static void test_seconds_that_are_none(void **state)
{
	static const char *const wrong[] = {"",	   ".",	    "m",    "-1",   "+1",    "1 m", " 1",
					    "1e3", "0x1",   "inf",  "nan",  "1.2.3", "1M",  "1min",
					    "1us", "30m1h", "1m1m", "1h30", "1m.s",  "1sm", "5mm"};
	double seconds;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(parse_seconds(wrong[i], 1e9, &seconds), -EINVAL);
}

static void test_seconds_out_of_range(void **state)
{
	double seconds;

	(void)state;
	assert_int_equal(parse_seconds("0", 10, &seconds), -EDOM);
	assert_int_equal(parse_seconds("0m0s", 10, &seconds), -EDOM);
	assert_int_equal(parse_seconds("11", 10, &seconds), -ERANGE);
	assert_int_equal(parse_seconds("1m", 10, &seconds), -ERANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_in_every_spelling), cmocka_unit_test(test_bytes_that_are_none),
		cmocka_unit_test(test_bytes_out_of_range),	cmocka_unit_test(test_seconds_in_every_spelling),
		cmocka_unit_test(test_seconds_that_are_none),	cmocka_unit_test(test_seconds_out_of_range),
	};

	return cmocka_run_group_tests_name("parse_number", tests, NULL, NULL);
}
