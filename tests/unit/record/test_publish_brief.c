/* SPDX-License-Identifier: GPL-2.0-or-later */
/* publish.c and summary.c without -v: the short summary of one process, of several, and of a population. */
#include "publication_scene.h"

/* Without -v: 24 lines with the messages, in which the sum of all losses stands. */
static void test_publish_population_in_brief_has_24_lines_and_hides_no_loss(void **state)
{
	static const char *const names[] = {"one", "two", "three", "four", "five", "six", "seven", "eight"};
	u32 lines = 0;

	(void)state;
	options.whole_tables = false;
	for (u32 i = 0; i < 8; i++) {
		struct image *image = begin_sampled(i + 1, 501 + i, names[i], "c0ffee");

		image->ledger[COUNTER_LOST_RING] = 5;
		if (i < 3)
			recorder_end(recorder, image, 500);
	}
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_non_null(strstr(printed.text, "8 processes, "));
	assert_non_null(strstr(printed.text, " in 5 processes; 3 ended with "));
	assert_non_null(strstr(printed.text, "\n  peak "));
	assert_non_null(strstr(printed.text, "\n  growth "));
	assert_non_null(strstr(printed.text, "  and 4 more with samples"));
	assert_non_null(strstr(printed.text, "lost: lost_ring 40\n"));
	assert_non_null(strstr(printed.text, "all tables: heaptap report "));
	assert_non_null(strstr(printed.text, "/merged/all.pb.gz\n"));
	for (const char *at = printed.text; *at; at++)
		lines += *at == '\n';
	assert_in_range(lines, 15, 24);
}

static void test_publish_listed_in_brief_shows_the_program_that_counts(void **state)
{
	(void)state;
	options.tracing.target.population = POPULATION_LISTED;
	options.whole_tables = false;
	recorder_end(recorder, begin(1, 501), 300);
	begin_sampled(2, 501, "program", NULL);
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_non_null(strstr(printed.text, "501 program (program 2 of this pid)"));
	assert_null(strstr(printed.text, "processes, "));
	assert_non_null(strstr(printed.text, "site (1 of 1)\n"));
	assert_non_null(strstr(printed.text, "501.program-2.pb.gz\n"));
}

static void test_publish_several_listed_in_brief_is_one_table(void **state)
{
	(void)state;
	options.tracing.target.population = POPULATION_LISTED;
	options.whole_tables = false;
	begin_sampled(1, 501, "first", NULL);
	begin_sampled(2, 502, "second", NULL);
	assert_int_equal(publish_everything(), STATUS_DONE);
	assert_non_null(strstr(printed.text, "2 processes, "));
	assert_non_null(strstr(printed.text, "501  first\n"));
	assert_non_null(strstr(printed.text, "502  second\n"));
	assert_non_null(strstr(printed.text, " alone)\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_all, close_all)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_publish_population_in_brief_has_24_lines_and_hides_no_loss),
		TEST(test_publish_listed_in_brief_shows_the_program_that_counts),
		TEST(test_publish_several_listed_in_brief_is_one_table),
	};

	return cmocka_run_group_tests_name("publish_brief", tests, NULL, NULL);
}
