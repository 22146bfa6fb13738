/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_summary.c: what fits in 80 columns and 21 lines, and that nothing lost is left out. */
#include "unit/profile/golden.h"
#include "printed.h"

#include "base/text.h"
#include "format/table_summary.h"

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
	check_says(&profile, "  5.0 s, a sample per 512 KiB, ended: killed by signal 9 by the OOM killer\n");
	check_says(&profile, "  at exit       7.0 MiB ±1.9 MiB in ");
	check_says(&profile, "  resident   1.0 MiB at the start, 3.0 MiB at most\n");
	check_says(&profile, "     5.0 MiB    ±1.6 MiB  71.4%      10  ns::list::grow");
	check_says(&profile, "cost: 190 000 traps x 650 ns = 124 ms");
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
	check_says(&profile, "lost: 22 000 in all, of 22 kinds: 'heaptap report' or -v lists them\n");
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
	check_says(&profile, "no sample: nothing was allocated, or too little for the interval\n");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_summary_of_a_process_says_who_how_much_and_how_it_ended),
		cmocka_unit_test(test_summary_of_a_process_that_grows_says_when_the_limit_is_reached),
		cmocka_unit_test(test_summary_of_losses_is_a_line_with_all_or_their_sum),
		cmocka_unit_test(test_summary_without_in_use_shows_what_was_allocated),
		cmocka_unit_test(test_summary_is_cut_to_the_terminal_and_prints_no_control_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
