/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c: what heaptap top looks at, and how often. */
#include "cli_scene.h"

static void test_cli_top_traces_what_record_traces(void **state)
{
	struct options *options = accept(*state, "top -p 123 -R 64K --delay 0.5");

	assert_int_equal(options->verb, SUBCOMMAND_TOP);
	assert_int_equal(options->record.tracing.target.pid_count, 1);
	assert_int_equal(options->record.tracing.sample_bytes, 65536);
	assert_true(options->top.delay_s == 0.5);
	assert_false(options->top.batch || options->top.machine || options->top.yes);
	assert_null(options->top.path);
	options = accept(*state, "top --container web");
	assert_int_equal(options->record.tracing.target.population, POPULATION_CGROUP);
	options = accept(*state, "top --follow -- make all");
	assert_string_equal(options->record.tracing.target.command[1], "all");
	assert_int_equal(accept(*state, "top -p 1")->record.tracing.gc.gogc_percent, 100);
}

static void test_cli_top_without_a_target_is_the_machine(void **state)
{
	struct options *options = accept(*state, "top");

	assert_true(options->top.machine);
	assert_int_equal(options->record.tracing.target.population, POPULATION_ALL);
	assert_true(accept(*state, "top -y --comm cc1")->top.yes);
	/* Who names it need not be asked. */
	options = accept(*state, "top --all");
	assert_false(options->top.machine);
	assert_int_equal(options->record.tracing.target.population, POPULATION_ALL);
}

static void test_cli_top_looks_at_a_recording(void **state)
{
	struct options *options = accept(*state, "top -b -n 3 --rows 7 dir");

	assert_string_equal(options->top.path, "dir");
	assert_true(options->top.batch);
	assert_false(options->top.machine);
	assert_int_equal(options->top.count, 3);
	assert_int_equal(options->top.rows, 7);
	options = accept(*state, "top -b dir -v");
	assert_int_equal(options->top.count, 0);
	assert_int_equal(options->top.rows, 20);
}

static void test_cli_top_wrong_arguments_are_refused(void **state)
{
	refuse(*state, "top a b", "'b'");
	refuse(*state, "top -p 1 dir", "'-p'");
	refuse(*state, "top -R 1 dir", "'-R'");
	refuse(*state, "top -n 3 dir", "'-n' goes with '--batch'");
	refuse(*state, "top --rows 3 -p 1", "'--rows' goes with '--batch'");
	refuse(*state, "top -b -n 0 dir", "'-n 0'");
	refuse(*state, "top --delay 0 dir", "more than 0");
	refuse(*state, "top -p 1 --all", "two targets");
	refuse(*state, "top -o out -p 1", "'-o' is an option of record, not of top");
	refuse(*state, "top --mappings -p 1", "'--mappings' is an option of record and serve, not of top");
	refuse_command(*state, "top dir -- true", "two targets");
	refuse_command(*state, "top -p 1 -- true", "two targets");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cli_top_traces_what_record_traces),
		TEST(test_cli_top_without_a_target_is_the_machine),
		TEST(test_cli_top_looks_at_a_recording),
		TEST(test_cli_top_wrong_arguments_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
