/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backoff.c: how long a store is left alone, by a clock of the test's own, and what a store may say of that. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "push/backoff.h"

#define SECOND	 1000000000ull
#define NOW	 (1000 * SECOND)
#define WALL	 (784111777ll * (s64)SECOND) /* Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110's examples */
#define FAILURES 1000

static struct backoff backoff;

static int begin(void **state)
{
	(void)state;
	backoff = (struct backoff){.seed = 20261130};
	return 0;
}

static void test_backoff_grows_to_a_minute_and_stays_there(void **state)
{
	u64 step = SECOND;

	(void)state;
	for (int i = 0; i < FAILURES; i++) {
		u64 wait = backoff_fail(&backoff, NOW, 0);

		assert_in_range(wait, step / 2, step);
		assert_int_equal(backoff_wait_ns(&backoff, NOW), wait);
		step = step * 2 < BACKOFF_MOST_NS ? step * 2 : BACKOFF_MOST_NS;
	}
	assert_int_equal(step, 60 * SECOND);
}

static void test_backoff_ends_with_time_and_with_success(void **state)
{
	u64 wait;

	(void)state;
	assert_int_equal(backoff_wait_ns(&backoff, NOW), 0);
	wait = backoff_fail(&backoff, NOW, 0);
	assert_int_equal(backoff_wait_ns(&backoff, NOW + wait - 1), 1);
	assert_int_equal(backoff_wait_ns(&backoff, NOW + wait), 0);
	for (int i = 0; i < 10; i++)
		backoff_fail(&backoff, NOW, 0);
	backoff_succeed(&backoff);
	assert_int_equal(backoff_wait_ns(&backoff, NOW), 0);
	assert_in_range(backoff_fail(&backoff, NOW, 0), SECOND / 2, SECOND);
}

/* Agents that fail at one moment: those of each quarter of the span come in numbers as they should, with 6 standard deviations to either side. */
static void test_backoff_spreads_agents(void **state)
{
	unsigned int quarters[4] = {0};

	(void)state;
	for (u64 agent = 0; agent < 4000; agent++) {
		struct backoff other = {.seed = (agent + 1) * 0x9e3779b97f4a7c15};

		backoff_fail(&other, NOW, 0);
		quarters[(backoff_wait_ns(&other, NOW) - SECOND / 2) * 4 / (SECOND / 2 + 1)]++;
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(quarters[i], 1000 - 165, 1000 + 165);
}

static void test_backoff_waits_as_the_store_said(void **state)
{
	(void)state;
	for (int i = 0; i < FAILURES; i++) {
		backoff_succeed(&backoff);
		assert_in_range(backoff_fail(&backoff, NOW, 40 * SECOND), 40 * SECOND, 50 * SECOND);
		backoff_succeed(&backoff);
		assert_in_range(backoff_fail(&backoff, NOW, UINT64_MAX), BACKOFF_SAID_MOST_NS,
				BACKOFF_SAID_MOST_NS * 5 / 4);
	}
	/* One that always says at once is not asked without end. */
	for (int i = 0; i < 10; i++)
		backoff_fail(&backoff, NOW, 1);
	assert_in_range(backoff_wait_ns(&backoff, NOW), 30 * SECOND, 60 * SECOND);
}

static u64 said(const char *value)
{
	u64 ns = 99;

	assert_int_equal(backoff_parse(value, WALL, &ns), 0);
	return ns;
}

static void test_retry_after_in_seconds(void **state)
{
	(void)state;
	assert_int_equal(said("0"), 0);
	assert_int_equal(said("120"), 120 * SECOND);
	assert_int_equal(said(" 007 "), 7 * SECOND);
	assert_int_equal(said("901"), BACKOFF_SAID_MOST_NS);
	assert_int_equal(said("99999999999999999999999999999999999999"), BACKOFF_SAID_MOST_NS);
}

static void test_retry_after_as_a_date_in_each_form(void **state)
{
	(void)state;
	assert_int_equal(said("Sun, 06 Nov 1994 08:50:37 GMT"), 60 * SECOND);
	assert_int_equal(said("Sunday, 06-Nov-94 08:50:37 GMT"), 60 * SECOND);
	assert_int_equal(said("Sun Nov  6 08:50:37 1994"), 60 * SECOND);
	assert_int_equal(said("Sun, 06 Nov 1994 08:49:37 GMT"), 0);
	assert_int_equal(said("Sat, 05 Nov 1994 08:50:37 GMT"), 0);
	assert_int_equal(said("Sat, 01 Jan 2050 00:00:00 GMT"), BACKOFF_SAID_MOST_NS);
}

static void test_retry_after_of_no_form_says_nothing(void **state)
{
	static const char *const values[] = {"",     " ",
					     "-1",   "1.5",
					     "0x10", "1 2",
					     "soon", "Sun, 06 Nov 1994",
					     "10s",  "Sun, 06 Nov 1994 08:50:37 GMT and more"};
	u64 ns = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		assert_int_equal(backoff_parse(values[i], WALL, &ns), -EINVAL);
	assert_int_equal(ns, 99);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_backoff_grows_to_a_minute_and_stays_there, begin),
		cmocka_unit_test_setup(test_backoff_ends_with_time_and_with_success, begin),
		cmocka_unit_test(test_backoff_spreads_agents),
		cmocka_unit_test_setup(test_backoff_waits_as_the_store_said, begin),
		cmocka_unit_test(test_retry_after_in_seconds),
		cmocka_unit_test(test_retry_after_as_a_date_in_each_form),
		cmocka_unit_test(test_retry_after_of_no_form_says_nothing),
	};

	return cmocka_run_group_tests_name("backoff", tests, NULL, NULL);
}
