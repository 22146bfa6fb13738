/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.c without memory for the table: it is said, and a report that lacks it does not pass for whole. */
#define table_profile_print no_table
#include "report_scene.h"

#include "cli/report.c"

int no_table(const struct profile *profile, enum measure measure, const struct table_view *view, FILE *out)
{
	(void)profile, (void)measure, (void)view, (void)out;
	return -ENOMEM;
}

static void test_report_without_memory_says_so_and_fails(void **state)
{
	(void)state;
	record_two(true);
	assert_int_equal(report(scratch_path), STATUS_FAILED);
	assert_contains(errors.text, "no memory for the report");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_report_without_memory_says_so_and_fails, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("report without memory", tests, NULL, NULL);
}
