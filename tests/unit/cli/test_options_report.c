/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.c: how report looks at a profile. */
#include "cli_scene.h"

static void test_cli_report_options_are_taken(void **state)
{
	struct options *options = accept(*state, "report x.pb.gz");

	assert_int_equal(options->verb, SUBCOMMAND_REPORT);
	assert_string_equal(options->report.path, "x.pb.gz");
	assert_int_equal(options->report.format, REPORT_TABLE);
	assert_int_equal(options->report.measure, INUSE_SPACE);
	assert_int_equal(options->report.top, 20);
	options = accept(*state, "report -f folded dir --top=3 --sample-index alloc_objects");
	assert_string_equal(options->report.path, "dir");
	assert_int_equal(options->report.format, REPORT_FOLDED);
	assert_int_equal(options->report.measure, ALLOC_OBJECTS);
	assert_int_equal(options->report.top, 3);
	options = accept(*state, "report -f text -n 4294967295 -i inuse_objects -- -dir");
	assert_string_equal(options->report.path, "-dir");
	assert_int_equal(options->report.format, REPORT_TEXT);
	assert_int_equal(options->report.measure, INUSE_OBJECTS);
	assert_int_equal(options->report.top, 4294967295u);
	assert_int_equal(accept(*state, "report -i alloc_space x")->report.measure, ALLOC_SPACE);
}

static void test_cli_report_wrong_arguments_are_refused(void **state)
{
	refuse(*state, "report", "no FILE");
	refuse(*state, "report ''", "''");
	refuse(*state, "report a b", "'b'");
	refuse(*state, "report -f json a", "'json'");
	refuse(*state, "report -f all a", "'all'");
	refuse(*state, "report -i bytes a", "'bytes'");
	refuse(*state, "report -n 0 a", "'-n 0'");
	refuse(*state, "report -n 4294967296 a", "'-n 4294967296'");
	refuse(*state, "report -n -1 a", "'-n -1'");
}

static void test_cli_report_ways_of_looking_exclude_each_other(void **state)
{
	struct options *options = accept(*state, "report --lifetimes x");

	assert_true(options->report.lifetimes);
	assert_true(accept(*state, "report x --older-than 1.5 -f folded")->report.older_s == 1.5);
	options = accept(*state, "report --base old new");
	assert_string_equal(options->report.base, "old");
	assert_string_equal(options->report.path, "new");
	refuse(*state, "report --base old", "'--base old'");
	refuse(*state, "report --base '' new", "'--base'");
	refuse(*state, "report --lifetimes --base old new", "exclude each other");
	refuse(*state, "report --lifetimes --older-than 3 x", "exclude each other");
	refuse(*state, "report --base old --older-than 3 x", "exclude each other");
	refuse(*state, "report --lifetimes -f text x", "'--lifetimes'");
	refuse(*state, "report -f folded --base old x", "'--base'");
	refuse(*state, "report --older-than 0 x", "more than 0");
	refuse(*state, "report --older-than 1min x", "'--older-than 1min'");
}

static void test_cli_a_page_is_made_of_whole_profiles(void **state)
{
	assert_string_equal(accept(*state, "report --html a.html x")->report.html, "a.html");
	assert_string_equal(accept(*state, "report --html a.html --base old new")->report.base, "old");
	assert_string_equal(accept(*state, "record --html a.html -f all -p 1")->html, "a.html");
	assert_null(accept(*state, "report x")->report.html);
	refuse(*state, "report --html '' x", "'--html'");
	refuse(*state, "report --html a.html", "no FILE");
	refuse(*state, "report --html a.html -f text x", "'--html' writes a page with all figures");
	refuse(*state, "report --html a.html --lifetimes x", "'--html' writes a page with all figures");
	refuse(*state, "report --html a.html --older-than 3 x", "'--html' writes a page with all figures");
	refuse(*state, "record --html a.html -f json -p 1", "'--html' makes the page of the .pb.gz files");
	refuse(*state, "doctor --html a.html", "'--html' is an option of record and report");
}

static void test_cli_site_skip_is_an_expression(void **state)
{
	struct options *options = accept(*state, "report --site-skip ^my_(alloc|new)$ x");

	assert_ptr_equal(options->report.site_skip, options->site_skip);
	assert_int_equal(regexec(options->site_skip, "my_new", 0, NULL, 0), 0);
	assert_int_equal(regexec(options->site_skip, "my_news", 0, NULL, 0), REG_NOMATCH);
	options = accept(*state, "record --site-skip a --site-skip pool -- true");
	assert_ptr_equal(options->record.site_skip, options->site_skip);
	assert_int_equal(regexec(options->site_skip, "pool_get", 0, NULL, 0), 0);
	assert_int_equal(regexec(options->site_skip, "a", 0, NULL, 0), REG_NOMATCH);
	refuse(*state, "report --site-skip ( x", "'--site-skip ('");
	refuse(*state, "doctor --site-skip x", "'--site-skip'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_cli_report_options_are_taken),
		TEST(test_cli_report_wrong_arguments_are_refused),
		TEST(test_cli_report_ways_of_looking_exclude_each_other),
		TEST(test_cli_a_page_is_made_of_whole_profiles),
		TEST(test_cli_site_skip_is_an_expression),
	};

	return cmocka_run_group_tests_name("cli_report", tests, NULL, NULL);
}
