/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_regions.c: whose mappings are whose, which sites have them, and what is lost. */
#include "unit/profile/mapped_profile.h"
#include "printed.h"

#include "base/text.h"
#include "format/table_profile.h"
#include "format/table_regions.h"

static char *print(const struct profile *profile, bool stacks)
{
	const struct table_view view = {.top = 20, .columns = 100, .stacks = stacks};
	struct printed printed;

	table_regions_print(profile, &view, printed_open(&printed));
	return printed_close(&printed);
}

static char *print_brief(const struct profile *profile, unsigned int columns)
{
	struct printed printed;

	table_regions_print_brief(profile, columns, printed_open(&printed));
	return printed_close(&printed);
}

static void check_has(char *text, const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, text);
	free(text);
}

static void test_table_regions_tells_the_programs_from_the_allocators(void **state)
{
	const struct profile profile = mapped_profile();
	char *text = print(&profile, false);

	(void)state;
	assert_golden(text, "mapped.regions");
	free(text);
}

static void test_table_regions_shows_whole_stacks_where_they_are_wanted(void **state)
{
	const struct profile profile = mapped_profile();

	(void)state;
	check_has(print(&profile, true), "    > map_cache  /src/cache.c:12\n      main  /src/main.c:5\n");
}

static void test_table_regions_says_at_exit_of_a_process_that_has_ended(void **state)
{
	struct profile profile = mapped_profile();

	(void)state;
	profile.exited = true;
	check_has(print(&profile, false), "\n  at exit       9.0 MiB = 9 445 376 B in 4 mappings, the program's\n");
	check_has(print_brief(&profile, 80),
		  "mappings: at exit 9.0 MiB in 4 by the program, 64.0 MiB in 1 by the allocator\n");
}

/* Where nothing is mapped any more, sites are those that ever mapped. */
static void test_table_regions_of_nothing_left_shows_what_was_mapped_in_all(void **state)
{
	struct profile_sample samples[4];
	struct profile profile = mapped_profile();

	(void)state;
	memcpy(samples, profile.samples, sizeof(samples));
	for (u32 i = 0; i < 4; i++)
		samples[i].inuse_count = 0;
	profile.samples = samples;
	check_has(print(&profile, false), "Sites by what they have mapped, 3 of 3\n      in all ");
	check_has(print(&profile, false), "  100  800.0 KiB  map_scratch  cache.c:40 < main\n");
	check_has(print(&profile, false), "  mapped            0 B = 0 B in 0 mappings, the program's\n");
}

static void test_table_regions_without_a_sample_has_no_sites(void **state)
{
	struct profile profile = mapped_profile();
	char *text;

	(void)state;
	profile.sample_count = 0;
	text = print(&profile, false);
	assert_null(strstr(text, "Sites"));
	check_has(text, "  in all            0 B = 0 B in 0 mappings\n");
}

/* Each line fits; a site's name is what is cut. */
static void test_table_regions_brief_is_a_few_lines_that_fit(void **state)
{
	const struct profile profile = mapped_profile();
	char *text = print_brief(&profile, 80), *rest = text, *line;
	unsigned int lines = 0;

	(void)state;
	assert_golden(text, "mapped.brief");
	for (; (line = strsep(&rest, "\n")) && (*line || rest); lines++)
		assert_true(text_columns(line) <= 80);
	assert_int_equal(lines, TABLE_REGIONS_LINES);
	free(text);
}

static void test_table_regions_brief_says_what_is_lost_in_place_of_a_site(void **state)
{
	struct profile profile = mapped_profile();
	char *text, *narrow;

	(void)state;
	profile.ledger[COUNTER_MAPPING_LOST] = 1234;
	profile.ledger[COUNTER_STACK_NO_RULE] = 5;
	text = print_brief(&profile, 80);
	assert_non_null(strstr(text, "\nlost of mappings: stack_no_rule 5, mapping_lost 1 234\n"));
	assert_null(strstr(text, "map_scratch"));
	narrow = print_brief(&profile, 40);
	assert_non_null(strstr(narrow, "..."));
	free(narrow);
	narrow = print_brief(&profile, 2);
	assert_non_null(strstr(narrow, "\nlost of mappings: stack_no_rule 5, ma...\n"));
	free(narrow);
	free(text);
	check_has(print(&profile, false), "            1 234  mapping_lost     such calls that were lost");
}

/* As `report` shows it: below a heap, or by itself. */
static void test_table_regions_stand_below_the_heap_and_alone(void **state)
{
	const struct table_view view = {.top = 20, .columns = 100};
	struct profile regions = mapped_profile(), heap = golden_small();
	struct printed printed;
	char *alone, *below;

	(void)state;
	table_profile_print(&regions, INUSE_SPACE, &view, printed_open(&printed));
	alone = printed_close(&printed);
	assert_memory_equal(alone, "77 mapper /usr/bin/mapper, 5.0 s, mappings\n", 43);
	assert_null(strstr(alone, "Sites by bytes in use"));
	assert_null(strstr(alone, "BALANCE"));
	heap.regions = &regions;
	table_profile_print(&heap, INUSE_SPACE, &view, printed_open(&printed));
	below = printed_close(&printed);
	assert_non_null(strstr(below, strstr(alone, "\nMappings: ")));
	free(alone);
	free(below);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_regions_tells_the_programs_from_the_allocators),
		cmocka_unit_test(test_table_regions_shows_whole_stacks_where_they_are_wanted),
		cmocka_unit_test(test_table_regions_says_at_exit_of_a_process_that_has_ended),
		cmocka_unit_test(test_table_regions_of_nothing_left_shows_what_was_mapped_in_all),
		cmocka_unit_test(test_table_regions_without_a_sample_has_no_sites),
		cmocka_unit_test(test_table_regions_brief_is_a_few_lines_that_fit),
		cmocka_unit_test(test_table_regions_brief_says_what_is_lost_in_place_of_a_site),
		cmocka_unit_test(test_table_regions_stand_below_the_heap_and_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
