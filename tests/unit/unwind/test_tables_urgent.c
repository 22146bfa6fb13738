/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables.c: which tables are made first, and who waits for them. */
#include "table_gate.h"

/* Index of the file whose table was made as the nth, by the numbers that tables have. */
static u32 made_as(u32 number)
{
	for (u32 i = 0; i < ELFS_MAX; i++) {
		const struct table *table = *find_table(set, elfs[i]);

		if (table && table->number == number)
			return i;
	}
	return ELFS_MAX;
}

static void test_hurry_goes_before_those_that_wait(void **state)
{
	static const u32 order[] = {0, 3, 5, 1, 2, 4};

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	gate_set(true);
	for (u32 i = 0; i < 6; i++)
		assert_int_equal(unwind_tables_request(set, elfs[i]), 0);
	gate_await(1);
	assert_int_equal(unwind_tables_hurry(set, elfs[3]), 0);
	assert_int_equal(unwind_tables_hurry(set, elfs[5]), 0);
	gate_set(false);
	unwind_tables_wait(set, -1);
	assert_int_equal(gate.entered, 6);
	for (u32 i = 0; i < 6; i++)
		assert_int_equal(made_as(i + 1), order[i]);
}

static void test_wait_for_the_urgent_ones_leaves_the_others(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	unwind_tables_wait_urgent(set, -1);
	gate_set(true);
	assert_int_equal(unwind_tables_request(set, elfs[0]), 0);
	gate_await(1);
	unwind_tables_wait_urgent(set, -1);
	assert_int_equal(unwind_tables_hurry(set, elfs[1]), 0);
	unwind_tables_wait_urgent(set, 1);
	assert_int_equal((*find_table(set, elfs[1]))->state, TABLE_WAITING);
	gate_set(false);
	unwind_tables_wait_urgent(set, -1);
	assert_int_equal((*find_table(set, elfs[1]))->state, TABLE_READY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hurry_goes_before_those_that_wait),
		TEST(test_wait_for_the_urgent_ones_leaves_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
