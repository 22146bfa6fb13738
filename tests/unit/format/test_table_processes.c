/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_processes.c, and what of it index.json gives back: growth, verdicts, and when a group reaches its limit. */
#include "unit/profile/golden.h"
#include "printed.h"

#include "format/index_read.h"
#include "format/table_processes.h"

#define MIB 1048576.0

static struct profile facts[3];
static char *no_files[] = {NULL};

/* Two of a group of 1 GiB grow by 16 and 48 MiB a second; a third is steady. */
static void make(struct index_entry entries[3])
{
	static const struct lifetime_summary lifespans[] = {
		{.samples = 100, .verdict = VERDICT_GROWING, .growth = 16 * MIB},
		{.samples = 100, .verdict = VERDICT_GROWING, .growth = 48 * MIB},
		{.samples = 100, .verdict = VERDICT_STEADY},
	};

	for (u32 i = 0; i < 3; i++) {
		facts[i] = golden_empty();
		facts[i].pid = 100 + i;
		facts[i].cgroup = (char *)"/service";
		facts[i].memory_limit = 1024 * (u64)MIB;
		facts[i].memory_used = 384 * (u64)MIB;
		entries[i] = (struct index_entry){.facts = &facts[i],
						  .files = no_files,
						  .samples = 100,
						  .total[INUSE_SPACE] = (3 - i) * (u64)MIB,
						  .lifespan = lifespans[i]};
	}
}

static char *print(const struct index_entry *entries, u32 count)
{
	struct printed printed;

	table_processes_print(entries, count, 20, printed_open(&printed));
	return printed_close(&printed);
}

static void assert_shows(const struct index_entry *entries, const char *row)
{
	char *text = print(entries, 3);

	if (!strstr(text, row))
		fail_msg("no \"%s\" in:\n%s", row, text);
	free(text);
}

static void test_processes_show_growth_verdict_and_the_groups_limit(void **state)
{
	struct index_entry entries[3];

	(void)state;
	make(entries);
	assert_shows(entries, "16.0 MiB growing     10.0 s                    100  empty\n");
	assert_shows(entries, "48.0 MiB growing     10.0 s                    101  empty\n");
	assert_shows(entries, "- steady           -                    102  empty\n");
}

static void test_processes_of_other_groups_or_ended_do_not_fill_it(void **state)
{
	struct index_entry entries[3];

	(void)state;
	make(entries);
	facts[1].cgroup = (char *)"/other";
	assert_shows(entries, "16.0 MiB growing     40.0 s                    100  empty\n");
	facts[1].cgroup = (char *)"/service";
	facts[1].exited = true;
	facts[1].exit = profile_exit_of(9, true);
	assert_shows(entries, "16.0 MiB growing     40.0 s                    100  empty\n");
	assert_shows(entries, "48.0 MiB growing          - OOM kill           101  empty\n");
	facts[0].memory_limit = 0;
	assert_shows(entries, "16.0 MiB growing          -                    100  empty\n");
}

static void test_processes_without_lifetimes_have_no_verdict(void **state)
{
	struct index_entry entries[3];

	(void)state;
	make(entries);
	entries[2].lifespan = (struct lifetime_summary){0};
	assert_shows(entries, "- -                -                    102  empty\n");
}

static void assert_order(const struct index_entry entries[3], const char *order)
{
	char *text = print(entries, 3), found[4] = "", *at = text;

	for (u32 i = 0; (at = strstr(at, "  empty\n")) && i < 3; at++, i++)
		found[i] = at[-1];
	assert_string_equal(found, order);
	free(text);
}

/* What grows comes before what is large, the living before the ended, and memory that no allocator gave counts. */
static void test_processes_that_grow_or_were_killed_for_want_of_memory_come_first(void **state)
{
	struct index_entry entries[3];

	(void)state;
	make(entries);
	entries[2].total[INUSE_SPACE] = 500 * (u64)MIB;
	assert_order(entries, "102");
	entries[0].lifespan.verdict = entries[1].lifespan.verdict = VERDICT_STEADY;
	entries[0].lifespan.growth = entries[1].lifespan.growth = 0;
	assert_order(entries, "201");
	facts[2].exited = true;
	assert_order(entries, "012");
	facts[1].rss_start_bytes = 10 * (u64)MIB;
	facts[1].rss_end_bytes = 90 * (u64)MIB;
	assert_order(entries, "102");
	facts[2].exit = profile_exit_of(9, true);
	assert_order(entries, "210");
}

/* 80 columns are a terminal. */
static void test_processes_in_brief_fit_a_terminal_and_show_how_they_ended(void **state)
{
	struct index_entry entries[3];
	struct printed printed;
	char *text, *rest, *line;

	(void)state;
	make(entries);
	facts[0].comm = (char *)"a-name-of-15-ch";
	facts[0].container_name = facts[0].container = (char *)"a-container-with-a-long-name";
	facts[0].rss_start_bytes = facts[0].rss_end_bytes = 1023 * (u64)MIB;
	facts[1].exited = true;
	facts[1].exit = profile_exit_of(11, false);
	table_processes_print_brief(entries, 3, 2, 80, printed_open(&printed));
	text = printed_close(&printed);
	assert_non_null(strstr(text, "signal 11 growing"));
	assert_non_null(strstr(text, "16.0 MiB growing"));
	assert_non_null(strstr(text, "  and 1 more with samples"));
	for (rest = text; (line = strsep(&rest, "\n"));)
		assert_true(strlen(line) <= 80);
	free(text);
}

/* COLUMNS may be any number: a row shows its figures in whatever is less than a terminal has. */
static void test_processes_in_brief_are_cut_at_40_columns_at_least(void **state)
{
	struct index_entry entries[3];
	struct printed printed;
	char *text;

	(void)state;
	make(entries);
	for (unsigned int columns = 1; columns < 4; columns++) {
		table_processes_print_brief(entries, 3, 1, columns, printed_open(&printed));
		text = printed_close(&printed);
		assert_non_null(strstr(text, "\n     2.0 MiB          -          -   ...\n"));
		free(text);
	}
}

/* What index.json carries makes the same table. */
static void test_processes_read_from_the_index_are_the_same(void **state)
{
	struct recording recording = {.version = "1", .attach = "multi"};
	struct index_entry entries[3];
	struct index_table table = {0};
	struct printed printed;
	char *text, *before, *after;
	cJSON *index;

	(void)state;
	make(entries);
	entries[2].lifespan = (struct lifetime_summary){0};
	facts[1].exited = true;
	facts[1].exit = profile_exit_of(3 << 8, false);
	assert_int_equal(index_write(&recording, entries, 3, printed_open(&printed)), 0);
	text = printed_close(&printed);
	index = cJSON_Parse(text);
	assert_non_null(index);
	assert_int_equal(index_table_read(index, &table), 0);
	before = print(entries, 3);
	after = print(table.entries, table.count);
	assert_string_equal(before, after);
	free(before);
	free(after);
	free(text);
	index_table_release(&table);
	cJSON_Delete(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes_show_growth_verdict_and_the_groups_limit),
		cmocka_unit_test(test_processes_of_other_groups_or_ended_do_not_fill_it),
		cmocka_unit_test(test_processes_without_lifetimes_have_no_verdict),
		cmocka_unit_test(test_processes_that_grow_or_were_killed_for_want_of_memory_come_first),
		cmocka_unit_test(test_processes_in_brief_fit_a_terminal_and_show_how_they_ended),
		cmocka_unit_test(test_processes_in_brief_are_cut_at_40_columns_at_least),
		cmocka_unit_test(test_processes_read_from_the_index_are_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
