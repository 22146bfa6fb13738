/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_profile.c against the tables it should print; tests/golden holds the whole ones. */
#include "unit/profile/golden.h"
#include "printed.h"

#include "profile/ledger.h"
#include "format/table_profile.h"

static char *print(const struct profile *profile, enum measure by, unsigned int top)
{
	struct printed printed;

	table_profile_print(profile, by, &(struct table_view){.top = top}, printed_open(&printed));
	return printed_close(&printed);
}

/* The longest line of the table of sites in use, in so many columns. */
static size_t widest(unsigned int columns)
{
	struct profile profile = golden_small();
	struct table_view view = {.top = 20, .columns = columns};
	struct printed printed;
	size_t most = 0;
	char *text, *line, *rest;

	table_profile_print(&profile, INUSE_SPACE, &view, printed_open(&printed));
	text = printed_close(&printed);
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (strstr(line, " < ") && strlen(line) > most)
			most = strlen(line);
	free(text);
	return most;
}

/* "±" is two bytes and one column. */
static void test_table_sites_are_as_wide_as_the_terminal(void **state)
{
	(void)state;
	assert_true(widest(0) <= TABLE_VIEW_COLUMNS + 1);
	assert_true(widest(100) < widest(0));
	assert_true(widest(100) <= 101);
	assert_true(widest(140) >= widest(0));
	assert_true(widest(20) <= 54 + TABLE_VIEW_SITE + 1);
	assert_int_equal(setenv("COLUMNS", "133", 1), 0);
	assert_int_equal(table_view_columns(-1), 133);
	assert_int_equal(setenv("COLUMNS", "wide", 1), 0);
	assert_int_equal(table_view_columns(-1), 0);
	assert_int_equal(unsetenv("COLUMNS"), 0);
}

static void test_table_has_stacks_when_asked(void **state)
{
	struct profile profile = golden_small();
	struct table_view view = {.top = 20, .stacks = true};
	struct printed printed;
	char *text;

	(void)state;
	table_profile_print(&profile, INUSE_SPACE, &view, printed_open(&printed));
	text = printed_close(&printed);
	assert_non_null(strstr(text, "\n    > make_node  /src/small.c:12\n      build_list  /src/small.c:30\n"));
	free(text);
}

static void check_golden(const struct profile *profile, enum measure by, const char *name)
{
	char *text = print(profile, by, 20);

	assert_golden(text, name);
	free(text);
}

static void check_says(const struct profile *profile, const char *wanted, bool says)
{
	char *text = print(profile, INUSE_SPACE, 20);

	if (!strstr(text, wanted) == says)
		fail_msg("%s \"%s\" in:\n%s", says ? "no" : "unwanted", wanted, text);
	free(text);
}

/* The writers' profile has a peak and a cost that do not fit the rest of it. */
static struct profile small(void)
{
	struct profile profile = golden_small();

	profile.peak_inuse_space = 9 << 20;
	profile.slowdown_percent = 100 * 190000 * profile.hit_cost_ns / profile.cpu_ns;
	return profile;
}

static void clear_ledger(struct profile *profile)
{
	memset(profile->ledger, 0, sizeof(profile->ledger));
}

static void test_summary_of_sampled_profile_shows_errors_samples_and_ledger(void **state)
{
	struct profile profile = small();

	(void)state;
	check_golden(&profile, INUSE_SPACE, "small.summary");
}

static void test_summary_of_exact_profile_shows_bytes_and_no_errors(void **state)
{
	struct profile profile = small();

	(void)state;
	profile.sample_bytes = 1;
	profile.exited = false;
	clear_ledger(&profile);
	check_golden(&profile, INUSE_SPACE, "exact.summary");
	check_says(&profile, "±", false);
}

static void test_summary_of_exact_profile_with_losses_does_not_claim_to_be_exact(void **state)
{
	struct profile profile = small();

	(void)state;
	profile.sample_bytes = 1;
	check_says(&profile, "exact", false);
	check_says(&profile, "but for what the ledger below says", true);
}

/* An allocator that was not probed, or not in time, or that nobody can be seen to call. */
static void test_summary_of_a_profile_that_cannot_be_whole_does_not_claim_to_be_exact(void **state)
{
	static const enum counter causes[] = {COUNTER_FILES_LATE, COUNTER_FILES_UNSEEN, COUNTER_FUNCTIONS_UNSEEN};
	struct profile profile = small();

	(void)state;
	profile.sample_bytes = 1;
	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++) {
		clear_ledger(&profile);
		profile.ledger[causes[i]] = 1;
		check_says(&profile, "exact", false);
		check_says(&profile, "but for what the ledger below says", true);
	}
	clear_ledger(&profile);
	profile.ledger[COUNTER_HITS_ALLOC] = profile.ledger[COUNTER_HITS_FREE] = 0;
	profile.sample_count = 0;
	check_says(&profile, "exact", false);
	check_says(&profile, "as no probed function was called", true);
}

static void test_summary_says_where_the_samples_were_taken(void **state)
{
	struct profile profile = small();

	(void)state;
	clear_ledger(&profile);
	profile.ledger[COUNTER_SAMPLED] = profile.ledger[COUNTER_LIVE] = 5;
	check_says(&profile, "taken inside", false);
	profile.ledger[COUNTER_INLINE] = 4;
	check_says(&profile, ", some taken inside", true);
	profile.ledger[COUNTER_INLINE] = 5;
	check_says(&profile, ", all taken inside", true);
}

static void test_summary_without_free_probes_leaves_in_use_out(void **state)
{
	struct profile profile = golden_alloc_only();

	(void)state;
	clear_ledger(&profile);
	check_golden(&profile, ALLOC_SPACE, "alloc_only.summary");
}

static void test_summary_of_empty_profile_says_so(void **state)
{
	struct profile profile = golden_empty();

	(void)state;
	check_golden(&profile, INUSE_SPACE, "empty.summary");
}

static void test_summary_by_objects_orders_by_objects(void **state)
{
	struct profile profile = small();
	char *text = print(&profile, ALLOC_OBJECTS, 1);
	const char *first = strstr(text, "Sites by objects allocated, 1 of 4"), *second;

	(void)state;
	assert_non_null(first);
	second = strstr(first, "Sites by objects in use, 1 of 4");
	assert_non_null(second);
	free(text);
}

static void test_summary_explains_why_resident_and_in_use_differ(void **state)
{
	struct profile profile = small();

	(void)state;
	profile.exited = false;
	profile.rss_end_bytes = 100 << 20;
	check_says(&profile, "MiB more than in use: heap from before; free memory the allocator keeps", true);
	profile.rss_start_bytes = 12 << 10; /* COMMAND, seen from its exec */
	check_says(&profile, "MiB more than in use: free memory the allocator keeps", true);
	profile.rss_end_bytes = 1 << 20;
	check_says(&profile, "6.0 MiB less than in use: allocated and never touched", true);
	profile.rss_end_bytes = 0;
	check_says(&profile, "resident", false);
}

static void test_summary_of_ended_process_compares_the_peaks(void **state)
{
	struct profile profile = small();

	(void)state;
	profile.rss_peak_bytes = 12 << 20;
	check_says(&profile, "12.0 MiB at most", true);
	check_says(&profile, " at the end", false);
	check_says(&profile, "3.0 MiB more than the peak in use", true);
	profile.rss_peak_bytes = 0;
	check_says(&profile, "resident", false);
}

static void test_summary_with_every_kind_of_loss_prints_the_ledger(void **state)
{
	struct profile profile = small();

	(void)state;
	for (unsigned int i = 0; i < COUNTER_MAX; i++) {
		clear_ledger(&profile);
		profile.ledger[i] = 3;
		if (ledger_is_loss(i))
			check_says(&profile, ledger_meaning(i), true);
	}
	clear_ledger(&profile);
	profile.ledger[COUNTER_SAMPLED] = profile.ledger[COUNTER_LIVE] = 5;
	profile.ledger[COUNTER_HITS_FREE] = 5;
	profile.ledger[COUNTER_STACK_RESENT] = 1;
	check_says(&profile, "Ledger", false);
}

static void test_summary_of_ledger_that_does_not_balance_says_by_how_much(void **state)
{
	struct profile profile = small();

	(void)state;
	clear_ledger(&profile);
	profile.ledger[COUNTER_SAMPLED] = 1234567;
	profile.ledger[COUNTER_ENTRY_ONLY] = 1;
	check_says(&profile, "DOES NOT BALANCE: 1 234 566 sampled allocations are accounted for nowhere", true);
	profile.ledger[COUNTER_ENDED] = 1234568;
	check_says(&profile, "DOES NOT BALANCE: 2 sampled allocations are accounted for twice", true);
	profile.ledger[COUNTER_ENDED] = 1234566;
	check_says(&profile, "BALANCE", false);
}

static void test_summary_says_how_many_children_went_untraced(void **state)
{
	struct profile profile = small();

	(void)state;
	check_says(&profile, "Child processes", false);
	profile.ledger[COUNTER_CHILDREN] = 12;
	check_says(&profile, "Child processes started and not traced: 12.", true);
}

static void test_summary_prints_no_control_characters_of_the_target(void **state)
{
	struct profile profile = small();

	(void)state;
	profile.comm = (char *)"\033]0;owned\a";
	profile.exe = (char *)"/opt/\x9b"
			      "31m";
	check_says(&profile, "?]0;owned? /opt/?31m", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_sites_are_as_wide_as_the_terminal),
		cmocka_unit_test(test_table_has_stacks_when_asked),
		cmocka_unit_test(test_summary_of_sampled_profile_shows_errors_samples_and_ledger),
		cmocka_unit_test(test_summary_of_exact_profile_shows_bytes_and_no_errors),
		cmocka_unit_test(test_summary_of_exact_profile_with_losses_does_not_claim_to_be_exact),
		cmocka_unit_test(test_summary_of_a_profile_that_cannot_be_whole_does_not_claim_to_be_exact),
		cmocka_unit_test(test_summary_says_where_the_samples_were_taken),
		cmocka_unit_test(test_summary_without_free_probes_leaves_in_use_out),
		cmocka_unit_test(test_summary_of_empty_profile_says_so),
		cmocka_unit_test(test_summary_by_objects_orders_by_objects),
		cmocka_unit_test(test_summary_explains_why_resident_and_in_use_differ),
		cmocka_unit_test(test_summary_of_ended_process_compares_the_peaks),
		cmocka_unit_test(test_summary_with_every_kind_of_loss_prints_the_ledger),
		cmocka_unit_test(test_summary_of_ledger_that_does_not_balance_says_by_how_much),
		cmocka_unit_test(test_summary_says_how_many_children_went_untraced),
		cmocka_unit_test(test_summary_prints_no_control_characters_of_the_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
