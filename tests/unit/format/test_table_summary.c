/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_summary.c: what fits in 80 columns and 21 lines, and that nothing lost is left out. */
#include "unit/profile/golden.h"
#include "printed.h"

#include <math.h>

#include "base/text.h"
#include "base/units.h"
#include "format/table_summary.h"
#include "view/population.h"

#define COLUMNS 80

static char *print(const struct profile *profile)
{
	struct overview overview;
	struct printed printed;

	assert_int_equal(overview_make(profile, &overview), 0);
	table_summary_print(&overview, COLUMNS, printed_open(&printed));
	overview_release(&overview);
	return printed_close(&printed);
}

static void check_says(const struct profile *profile, const char *wanted)
{
	char *text = print(profile);

	if (!strstr(text, wanted))
		fail_msg("no \"%s\" in:\n%s", wanted, text);
	free(text);
}

static void check_fits(const struct profile *profile)
{
	char *text = print(profile), *rest = text, *line;
	u32 lines = 0;

	for (; (line = strsep(&rest, "\n")) && (*line || rest); lines++)
		if (text_columns(line) > COLUMNS)
			fail_msg("too wide: %s", line);
	assert_in_range(lines, 5, TABLE_SUMMARY_LINES);
	free(text);
}

static void test_summary_of_a_process_says_who_how_much_and_how_it_ended(void **state)
{
	struct profile profile = golden_small();

	(void)state;
	check_fits(&profile);
	check_says(&profile, "4242 small /usr/lib/heaptap-golden/small app\n");
	check_says(&profile, "  5.0 s, a sample per 512 KiB, ended: OOM-killed at 3.0 MiB\n");
	check_says(&profile, "  at exit       7.0 MiB ±1.9 MiB in ");
	check_says(&profile, "  resident   1.0 MiB at the start, 3.0 MiB at most\n");
	check_says(&profile, "     5.0 MiB    ±1.6 MiB  71.4%      10  ns::list::grow");
	check_says(&profile, "cost: 190 000 traps x 650 ns = 124 ms");
	profile.memory = (struct memory_parts){.known = true, .processes = 1, .inuse_known = true, .inuse = 2 << 20};
	profile.memory.part[MEMORY_HEAP].resident = 5 << 19;
	profile.memory.read_unix_ns = profile.start_unix_ns + profile.duration_ns - 400000000;
	check_says(&profile, "  resident   2.5 MiB = 2.0 in use + 0.5 rest of heap, 400 ms before the end\n");
	check_fits(&profile);
	profile.memory.part[MEMORY_HEAP].resident = 2 << 20; /* far from the peak */
	check_says(&profile, "  resident   1.0 MiB at the start, 3.0 MiB at most\n");
	profile.memory_limit = 4 << 20;
	check_says(&profile, "ended: OOM-killed at 3.0 MiB, limit 4.0 MiB\n");
	profile.memory_limit = 0;
	profile.exit = profile_exit_of(11, false);
	check_says(&profile, "ended: killed by signal 11\n");
	profile.exit = profile_exit_of(7 << 8, false);
	check_says(&profile, "ended: exit status 7\n");
}

/* Verdicts stand before the sites, with the time that is left. */
static void test_summary_of_a_process_that_grows_says_when_the_limit_is_reached(void **state)
{
	struct profile profile = golden_living();
	char *text = print(&profile), *grows = strstr(text, "\ngrows: "), *sites = strstr(text, "  site (");

	(void)state;
	assert_non_null(grows);
	assert_non_null(sites);
	assert_true(grows < sites);
	assert_non_null(strstr(grows, "/s, limit reached in "));
	free(text);
	check_fits(&profile);
}

static void test_summary_of_losses_is_a_line_with_all_or_their_sum(void **state)
{
	struct profile profile = golden_small();

	(void)state;
	check_says(&profile, "lost: lost_ring 2, stack_lost_slot 2\n");
	for (unsigned int i = 0; i < COUNTER_MAX; i++)
		if (ledger_is_loss(i))
			profile.ledger[i] = 1000;
	check_says(&profile, "lost: 26 000 in all, of 26 kinds: 'heaptap report' or -v lists them\n");
	check_says(&profile, "DOES NOT BALANCE: ");
	memset(profile.ledger, 0, sizeof(profile.ledger));
	profile.ledger[COUNTER_CHILDREN] = 3;
	check_says(&profile, "not traced: 3 child processes; --follow traces them\n");
}

static void test_summary_without_in_use_shows_what_was_allocated(void **state)
{
	struct profile profile = golden_alloc_only();

	(void)state;
	check_fits(&profile);
	check_says(&profile, "  in use     not recorded (--alloc-only)\n");
	check_says(&profile, "   allocated   std error");
	profile = golden_empty();
	check_says(&profile, "no sample: nothing was allocated, or too little for the interval; -R 1 takes all\n");
	profile.sample_bytes = 1;
	check_says(&profile, "no sample: nothing was allocated\n");
}

static void test_summary_is_cut_to_the_terminal_and_prints_no_control_characters(void **state)
{
	struct profile profile = golden_small();

	(void)state;
	profile.exe = (char *)"/a/path/that/is/longer/than/eighty/columns/are/wide/and/so/it/is/cut/at/its/end/by/dots";
	profile.comm = (char *)"\033]0;owned\a";
	check_fits(&profile);
	check_says(&profile, "4242 ?]0;owned? /a/path");
}

/* --- several processes --- */

static struct profile profiles[3];
static struct cgroup_usage group;

/* Two that grow in the same group, one that has ended. */
static void make_several(struct index_entry entries[3])
{
	profiles[0] = profiles[1] = golden_living();
	profiles[1].pid = 77;
	profiles[1].comm = (char *)"larger";
	profiles[0].cgroup = profiles[1].cgroup = (char *)"/shop";
	profiles[0].peak_inuse_space = 5 << 20;
	profiles[1].peak_inuse_space = 9 << 20;
	profiles[1].peak_at_ns = 2000000000;
	profiles[2] = golden_small();
	profiles[2].peak_inuse_space = 3 << 20;
	for (int i = 0; i < 3; i++)
		entries[i] = index_entry_of(&profiles[i], NULL);
}

static char *print_several(const struct index_entry *entries, u32 count)
{
	char *growing[] = {(char *)"one of 77", (char *)"two of 77", (char *)"three of 77", NULL};
	struct table_summary summary = {.entries = entries, .count = count, .growing = growing, .growing_sites = 3};
	struct overview all;
	struct printed printed;

	assert_int_equal(overview_make(&profiles[0], &all), 0);
	summary.all = &all;
	summary.group = &group;
	table_summary_print_several(&summary, COLUMNS, printed_open(&printed));
	overview_release(&all);
	return printed_close(&printed);
}

__attribute__((format(printf, 2, 3))) static void assert_line(const char *text, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (!strstr(text, line))
		fail_msg("no \"%s\" in:\n%s", line, text);
}

static void test_summary_of_several_has_peak_growth_and_the_time_that_is_left(void **state)
{
	struct index_entry entries[3];
	struct population_growth one, all;
	char *text;

	(void)state;
	make_several(entries);
	one = population_growth(&entries[0], 1);
	all = population_growth(entries, 3);
	assert_int_equal(one.processes, 1);
	assert_int_equal(all.processes, 2);
	assert_true(all.bytes == 2 * one.bytes && all.error < 2 * one.error && all.error > one.error);
	/* Both fill the same group. */
	assert_true(isfinite(one.left_s) && one.left_s > 1.99 * all.left_s && one.left_s < 2.01 * all.left_s);
	text = print_several(entries, 3);
	assert_line(text, "\n  peak          9.0 MiB in use by 77 larger, 2.0 s after its start\n");
	assert_line(text, "\n  growth     %10s/s ±%s in 2 processes, 3 sites, limit in %s\n",
		    units_bytes(all.bytes).text, units_bytes(all.error).text, units_seconds(all.left_s * 1e9).text);
	free(text);
}

static void test_summary_of_several_says_why_there_is_no_growth(void **state)
{
	struct index_entry entries[3];
	char *text;

	(void)state;
	make_several(entries);
	for (int i = 0; i < 3; i++) {
		entries[i].lifespan = (struct lifetime_summary){.verdict = VERDICT_EARLY};
		profiles[i].model.ticks = 10 + (u32)i;
	}
	text = print_several(entries, 2);
	assert_line(text, "\n  growth     too early to tell: 11 of 40 s; record longer\n");
	free(text);
	profiles[0].model.ticks = VERDICT_TICKS;
	text = print_several(entries, 2);
	assert_line(text, "\n  growth     none seen in any process that lives");
	free(text);
	for (int i = 0; i < 3; i++)
		profiles[i].model.gogc_percent = 0;
	text = print_several(entries, 3);
	assert_line(text, "\n  growth     not known (--gogc off)\n");
	free(text);
}

/* Everything that there can be to say, at its widest; names at the end of rows are cut. */
static void test_summary_of_several_fits_a_terminal(void **state)
{
	struct index_entry entries[20];
	char *text, *rest, *line;
	u32 lines = 0;

	(void)state;
	make_several(entries);
	profiles[2].memory_limit = profiles[0].memory_limit = 1023ULL << 20;
	profiles[0].comm = profiles[1].comm = (char *)"a-name-of-15-ch";
	profiles[0].pid = profiles[1].pid = profiles[2].pid = 4194303;
	profiles[0].rss_start_bytes = profiles[1].peak_inuse_space = 1023ULL << 20;
	profiles[0].ledger[COUNTER_CHILDREN] = 3;
	profiles[0].memory = (struct memory_parts){.known = true, .processes = 1};
	for (int i = 0; i < MEMORY_PART_MAX; i++)
		profiles[0].memory.part[i] = (struct memory_amount){1023 << 20, 1023 << 20, 1023 << 20};
	for (int i = 3; i < 20; i++) {
		entries[i] = entries[i % 3];
		entries[i].total[INUSE_SPACE] = 100ULL << 20;
	}
	group = (struct cgroup_usage){true, 1023 << 20, 1023 << 20, 1023 << 20, 1023 << 20, 1023 << 20, 1023 << 20, 0};
	text = rest = print_several(entries, 20);
	for (; (line = strsep(&rest, "\n")) && (*line || rest); lines++)
		if (text_columns(line) > COLUMNS || (strstr(line, "...") && line[2] >= 'a'))
			fail_msg("too wide: %s", line);
	assert_in_range(lines, 18, TABLE_SUMMARY_LINES + 1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_summary_of_a_process_says_who_how_much_and_how_it_ended),
		cmocka_unit_test(test_summary_of_a_process_that_grows_says_when_the_limit_is_reached),
		cmocka_unit_test(test_summary_of_losses_is_a_line_with_all_or_their_sum),
		cmocka_unit_test(test_summary_without_in_use_shows_what_was_allocated),
		cmocka_unit_test(test_summary_is_cut_to_the_terminal_and_prints_no_control_characters),
		cmocka_unit_test(test_summary_of_several_has_peak_growth_and_the_time_that_is_left),
		cmocka_unit_test(test_summary_of_several_says_why_there_is_no_growth),
		cmocka_unit_test(test_summary_of_several_fits_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
