/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program whose sites have known lifetimes: their verdicts in the files that record writes by default, and the status
 * that --fail-on gives.
 *
 * One sample in 32 KiB: the leak of 25 MB gives some 780, of which none dies; the chance that it is not called growing,
 * or that what is freed at once is not called transient (12 000 samples, none of which survives), is far below 10^-6.
 * All events together are less than half of the ring, so that none is lost however late heaptap reads them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/session.h"

static int record(struct scene *scene, const char *how, const char *status)
{
	const char *const args[] = {"-R", "32K",  "--fail-on", "growing", "--", beside("target_lifetimes"),
				    how,  status, NULL};

	return session_run(&scene->session, scene, args);
}

/* The line of the table with that site's name must have that verdict. */
static void assert_verdict(const char *table, const char *site, const char *verdict)
{
	const char *at = strstr(table, format("  %s  target_lifetimes.c", site)), *line = at;

	while (line && line > table && line[-1] != '\n')
		line--;
	if (!at || !memmem(line, (size_t)(at - line), verdict, strlen(verdict)))
		fail_msg("%s is not %s in:\n%s", site, verdict, table);
}

static void test_lifetimes_leak_is_growing_and_the_others_are_not(void **state)
{
	struct scene *scene = *state;
	char *table;

	assert_int_equal(record(scene, "leak", "0"), 5);
	session_assert_said(&scene->session, "--fail-on growing: 1 site in 1 process grows");
	session_assert_said(&scene->session, "\ngrows: leak");
	table = session_report(&scene->session, "--lifetimes");
	assert_verdict(table, "leak", "growing");
	assert_verdict(table, "transient", "transient");
	assert_verdict(table, "cache", "steady");
	free(table);
}

static void test_lifetimes_without_a_leak_nothing_is_found(void **state)
{
	struct scene *scene = *state;
	char *table;

	assert_int_equal(record(scene, "none", "0"), 0);
	table = session_report(&scene->session, "--lifetimes");
	assert_verdict(table, "transient", "transient");
	assert_null(strstr(table, "growing"));
	free(table);
}

static void test_lifetimes_failure_of_the_command_comes_first(void **state)
{
	assert_int_equal(record(*state, "leak", "3"), 3);
	assert_int_equal(record(*state, "none", "3"), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lifetimes_leak_is_growing_and_the_others_are_not),
		TEST(test_lifetimes_without_a_leak_nothing_is_found),
		TEST(test_lifetimes_failure_of_the_command_comes_first),
	};

	return cmocka_run_group_tests_name("lifetimes", tests, NULL, NULL);
}
