/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nearest.c: what was meant by a name that is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "probe/nearest.h"

static void assert_nearest(const char *wanted, const char *const *names, const char *expected)
{
	struct nearest nearest = {.wanted = wanted};
	char text[256];

	for (; *names; names++)
		nearest_add(&nearest, *names);
	assert_string_equal(nearest_text(&nearest, text, sizeof(text)), expected);
}

static void test_nearest_is_the_most_like_first(void **state)
{
	const char *const names[] = {"pool_get", "pool_reset", "pool_put", "main", "pool_putt", "pool_put", NULL};

	(void)state;
	assert_nearest("pool_pur", names, " (nearest: pool_put, pool_putt, pool_get)");
}

static void test_nearest_that_comes_late_takes_a_place(void **state)
{
	const char *const names[] = {"freiii", "freixy", "freix", "xfrei", "free", NULL};

	(void)state;
	assert_nearest("frei", names, " (nearest: freix, xfrei, free)");
}

static void test_nearest_of_other_names_is_none(void **state)
{
	const char *const names[] = {"main", "", "a_name_of_quite_another_kind", NULL};

	(void)state;
	assert_nearest("pool_put", names, "");
}

static void test_nearest_may_be_part_of_the_name(void **state)
{
	const char *const names[] = {"libapr-1.so.0.7.2", "libc.so.6", NULL};

	(void)state;
	assert_nearest("libapr", names, " (nearest: libapr-1.so.0.7.2)");
}

static void test_nearest_long_names_are_passed_over(void **state)
{
	char name[200];
	const char *const names[] = {name, NULL};

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_nearest("x", names, "");
	assert_nearest(name, (const char *const[]){"x", NULL}, "");
}

static void test_nearest_text_is_cut_to_fit(void **state)
{
	struct nearest nearest = {.wanted = "get"};
	char text[16];

	(void)state;
	nearest_add(&nearest, "gets");
	nearest_add(&nearest, "gett");
	assert_string_equal(nearest_text(&nearest, text, sizeof(text)), " (nearest: gets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest_is_the_most_like_first),
		cmocka_unit_test(test_nearest_that_comes_late_takes_a_place),
		cmocka_unit_test(test_nearest_of_other_names_is_none),
		cmocka_unit_test(test_nearest_may_be_part_of_the_name),
		cmocka_unit_test(test_nearest_long_names_are_passed_over),
		cmocka_unit_test(test_nearest_text_is_cut_to_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
