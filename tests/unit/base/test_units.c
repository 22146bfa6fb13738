/* SPDX-License-Identifier: GPL-2.0-or-later */
/* units.c: numbers as people read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/units.h"

static void check_bytes(double bytes, const char *wanted)
{
	assert_string_equal(units_bytes(bytes).text, wanted);
}

static void test_units_bytes_changes_unit_before_four_digits(void **state)
{
	(void)state;
	check_bytes(0, "0 B");
	check_bytes(1023, "1023 B");
	check_bytes(1024, "1.0 KiB");
	check_bytes(1572864, "1.5 MiB");
	check_bytes(1024 * 1024 - 1, "1.0 MiB");
	check_bytes(18446744073709551615.0, "16.0 EiB");
}

static void test_units_digits_stand_in_groups_of_three(void **state)
{
	(void)state;
	assert_string_equal(units_digits(0).text, "0");
	assert_string_equal(units_digits(999).text, "999");
	assert_string_equal(units_digits(1203400).text, "1 203 400");
	assert_string_equal(units_digits(UINT64_MAX).text, "18 446 744 073 709 551 615");
}

static void test_units_seconds_chooses_the_readable_unit(void **state)
{
	(void)state;
	assert_string_equal(units_seconds(999).text, "999 ns");
	assert_string_equal(units_seconds(2.5e6).text, "2.5 ms");
	assert_string_equal(units_seconds(123e9).text, "123 s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_units_bytes_changes_unit_before_four_digits),
		cmocka_unit_test(test_units_digits_stand_in_groups_of_three),
		cmocka_unit_test(test_units_seconds_chooses_the_readable_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
