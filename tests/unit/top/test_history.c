/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history.c: rates over the last looks, points that slide, baselines. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "top/history.h"

#define SECOND 1000000000ULL

static const struct history_row *look(struct history *history, u64 second, u64 inuse, u64 allocated)
{
	const struct history_row *row;

	history_look(history, second * SECOND);
	row = history_add(history, 7, inuse, allocated);
	assert_non_null(row);
	return row;
}

static void test_history_rate_is_of_the_last_five_intervals(void **state)
{
	struct history history = {0};
	const struct history_row *row = look(&history, 1, 0, 1000);

	(void)state;
	assert_true(isnan(history_rate(&history, row)));
	assert_true(isnan(history_rate(&history, NULL)));
	row = look(&history, 3, 0, 3000);
	assert_true(history_rate(&history, row) == 1000);
	for (u64 i = 0; i < 5; i++)
		row = look(&history, 4 + i, 0, 3000 + 100 * (i + 1));
	assert_true(history_rate(&history, row) == 100);
	history_release(&history);
}

/* A process that was not listed for a time, or another one with its number, is not compared with what it was. */
static void test_history_rate_begins_again_after_an_absence(void **state)
{
	struct history history = {0};
	const struct history_row *row;

	(void)state;
	look(&history, 1, 5, 1000);
	history_look(&history, 2 * SECOND);
	row = look(&history, 3, 6, 9000);
	assert_true(isnan(history_rate(&history, row)));
	history_release(&history);
}

static void test_history_keeps_the_newest_points(void **state)
{
	struct history history = {0};
	const struct history_row *row = NULL;

	(void)state;
	for (u64 i = 0; i < HISTORY_POINTS + 5; i++)
		row = look(&history, i + 1, i, i);
	assert_int_equal(row->count, HISTORY_POINTS);
	assert_true(row->inuse[0] == 5);
	assert_true(row->inuse[HISTORY_POINTS - 1] == HISTORY_POINTS + 4);
	assert_ptr_equal(history_add(&history, 7, 99, 99), row);
	assert_true(row->inuse[HISTORY_POINTS - 1] == HISTORY_POINTS + 4);
	history_release(&history);
}

static void test_history_change_is_since_the_baseline(void **state)
{
	struct history history = {0};
	const struct history_row *row = look(&history, 1, 500, 0), *later;

	(void)state;
	assert_true(isnan(history_change(&history, row)));
	history_mark(&history, SECOND);
	row = look(&history, 2, 300, 0);
	later = history_add(&history, 8, 40, 0);
	assert_true(history_change(&history, row) == -200);
	assert_true(history_change(&history, later) == 40);
	/* What was there at the baseline is remembered however long it is away. */
	for (u64 i = 3; i < 9; i++)
		history_look(&history, i * SECOND);
	row = look(&history, 9, 600, 0);
	assert_true(history_change(&history, row) == 100);
	history_unmark(&history);
	assert_true(isnan(history_change(&history, row)));
	history_release(&history);
}

static void test_history_forgets_rows_that_are_gone(void **state)
{
	struct history history = {0};

	(void)state;
	for (u64 i = 0; i < 100; i++) {
		history_look(&history, i * SECOND);
		assert_non_null(history_add(&history, i, 1, 1));
	}
	assert_in_range(HASH_COUNT(history.rows), 1, 2);
	history_release(&history);
}

/* They come before those of looks; of too many the newest are kept; a rate is of looks alone. */
static void test_history_has_points_from_before_the_first_look(void **state)
{
	u64 past[HISTORY_POINTS + 3];
	struct history history = {0};
	const struct history_row *row;

	(void)state;
	for (u64 i = 0; i < HISTORY_POINTS + 3; i++)
		past[i] = i;
	history_look(&history, SECOND);
	history_past(&history, 7, past + 1, 2);
	row = history_add(&history, 7, 500, 1000);
	assert_true(history.past);
	assert_int_equal(row->count, 3);
	assert_true(row->inuse[0] == 1 && row->inuse[1] == 2 && row->inuse[2] == 500);
	assert_true(isnan(history_rate(&history, row)));
	history_release(&history);
	history_look(&history, SECOND);
	history_past(&history, 7, past, HISTORY_POINTS + 3);
	row = history_add(&history, 7, 500, 1000);
	assert_int_equal(row->count, HISTORY_POINTS);
	assert_true(row->inuse[0] == 4 && row->inuse[HISTORY_POINTS - 1] == 500);
	history_release(&history);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_history_rate_is_of_the_last_five_intervals),
		cmocka_unit_test(test_history_rate_begins_again_after_an_absence),
		cmocka_unit_test(test_history_keeps_the_newest_points),
		cmocka_unit_test(test_history_change_is_since_the_baseline),
		cmocka_unit_test(test_history_forgets_rows_that_are_gone),
		cmocka_unit_test(test_history_has_points_from_before_the_first_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
