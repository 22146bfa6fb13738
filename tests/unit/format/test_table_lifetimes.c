/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_lifetimes.c, lifetime_summary.c: the table of a profile with known lifetimes, and the sentences instead of it. */
#include <math.h>

#include "unit/profile/golden.h"
#include "printed.h"

#include "profile/lifetime_summary.h"
#include "format/table_lifetimes.h"

static char *print(const struct profile *profile, unsigned int top)
{
	struct printed printed;

	table_lifetimes_print(profile, &(struct table_view){.top = top}, printed_open(&printed));
	return printed_close(&printed);
}

static void check_says(const struct profile *profile, unsigned int top, const char *wanted, bool says)
{
	char *text = print(profile, top);

	if (!strstr(text, wanted) == says)
		fail_msg("%s \"%s\" in:\n%s", says ? "no" : "unwanted", wanted, text);
	free(text);
}

static char kept[1024];

static void keep_line(const char *line, void *arg)
{
	(void)arg;
	snprintf(kept, sizeof(kept), "%s", line);
}

static void test_lifetable_of_living_profile_matches_golden_file(void **state)
{
	struct profile profile = golden_living();
	char *text = print(&profile, 20);

	(void)state;
	assert_golden(text, "living.lifetimes");
	free(text);
}

static void test_lifetable_shows_growing_sites_before_larger_ones(void **state)
{
	struct profile profile = golden_living();

	(void)state;
	profile.samples[2].inuse_count = 100000;
	check_says(&profile, 1, "make_node", true);
	check_says(&profile, 1, "vdso", false);
	assert_int_equal(table_lifetimes_growing(&profile, keep_line, NULL), 1);
	assert_string_equal(kept,
			    "process 4242 (small), 25.0 MiB a second: make_node  small.c:12 < build_list < main < "
			    "__libc_start_call_main");
}

/* Objects have ages in cycles: before the first one has completed, none has an age in seconds. */
static void test_lifetable_has_no_median_before_a_cycle_has_completed(void **state)
{
	struct profile profile = golden_living();
	struct lifetime_summary process;

	(void)state;
	assert_int_equal(lifetime_summary_of_process(&profile, &process), 0);
	process.objects.median_cycles = 0.5;
	assert_true(lifetime_summary_median_ns(&profile, &process) == 0.5 * lifetime_summary_cycle_ns(&profile));
	process.objects.median_cycles = NAN;
	assert_true(isinf(lifetime_summary_median_ns(&profile, &process)));
	profile.model.cycles = 0;
	assert_true(isnan(lifetime_summary_median_ns(&profile, &process)));
	check_says(&profile, 20, " 0 ns ", false);
}

/* After 12 cycles and 11 seconds nothing is steady yet, and no row has a growth without `growing`. */
static void test_lifetable_of_a_short_recording_is_too_early(void **state)
{
	struct profile profile = golden_living();

	(void)state;
	profile.model.cycles = 12;
	profile.model.ticks = 23;
	check_says(&profile, 20, "too early (23 of 40 cycles, each second counting as one)", true);
	check_says(&profile, 20, "- too early       200  make_node", true);
	check_says(&profile, 20, "The whole process: ", true);
	check_says(&profile, 20, "steady", false);
	check_says(&profile, 20, "growing", false);
	assert_int_equal(table_lifetimes_growing(&profile, keep_line, NULL), 0);
}

/* What does little but leak has no cycle for long; time alone makes it due. */
static void test_lifetable_without_a_cycle_knows_growth(void **state)
{
	struct profile profile = golden_living();

	(void)state;
	profile.model.cycles = 0;
	check_says(&profile, 20, "growing         200  make_node", true);
	check_says(&profile, 20, "Under a collector", false);
}

static void test_lifetable_without_a_limit_says_nothing_of_it(void **state)
{
	struct profile profile = golden_living();

	(void)state;
	check_says(&profile, 20, "limit of 1.0 GiB", true);
	profile.memory_limit = 0;
	check_says(&profile, 20, "limit", false);
}

static void test_lifespan_time_left_is_room_by_growth(void **state)
{
	struct profile profile = {.memory_used = 1000, .memory_limit = 1640};

	(void)state;
	assert_true(lifetime_summary_time_left(&profile, &(struct lifetime_summary){.growth = 32}) == 20);
	assert_true(lifetime_summary_time_left(&profile, &(struct lifetime_summary){.growth = 0}) == INFINITY);
	assert_true(lifetime_summary_time_left(&profile, &(struct lifetime_summary){.growth = -5}) == INFINITY);
	profile.memory_used = 1640;
	assert_true(lifetime_summary_time_left(&profile, &(struct lifetime_summary){.growth = 32}) == 0);
	assert_true(lifetime_summary_time_left(&profile, &(struct lifetime_summary){.growth = 0}) == INFINITY);
	profile.exited = true;
	assert_true(lifetime_summary_time_left(&profile, &(struct lifetime_summary){.growth = 32}) == INFINITY);
	profile = (struct profile){.memory_used = 1640};
	assert_true(lifetime_summary_time_left(&profile, &(struct lifetime_summary){.growth = 32}) == INFINITY);
}

static void test_lifetable_says_why_nothing_is_known(void **state)
{
	struct profile profile = golden_living(), small = golden_small(), alloc_only = golden_alloc_only();

	(void)state;
	check_says(&small, 20, "this file does not carry them", true);
	check_says(&alloc_only, 20, "--alloc-only", true);
	profile.model.gogc_percent = 0;
	check_says(&profile, 20, "--gogc off", true);
	profile.model.gogc_percent = 100;
	profile.model.cycles = profile.model.ticks = 0;
	check_says(&profile, 20, "first cycle takes 200.0 MiB", true);
	assert_int_equal(table_lifetimes_growing(&small, keep_line, NULL), 0);
}

static void test_lifespan_of_sites_is_what_they_were_made_to_be(void **state)
{
	static const enum verdict wanted[] = {VERDICT_GROWING, VERDICT_TRANSIENT, VERDICT_STEADY, VERDICT_UNKNOWN};
	struct profile profile = golden_living();

	(void)state;
	for (u32 i = 0; i < 4; i++) {
		struct lifetime_sum sum = {0};
		struct lifetime_summary lifetime_summary;

		lifetime_summary_add(&sum, &profile, &profile.samples[i]);
		lifetime_summary_conclude(&sum, &profile, &lifetime_summary);
		assert_int_equal(lifetime_summary.verdict, wanted[i]);
		assert_int_equal(lifetime_summary.samples, profile.samples[i].alloc_count);
		assert_true(lifetime_summary.objects.young.estimate == (i == 1 ? 0 : 1));
	}
}

/* An age in cycles k began at least (k - 1) whole cycles ago: an object is older only when that says so. */
static void test_lifespan_older_counts_what_is_known_to_be(void **state)
{
	struct profile profile = golden_living();

	(void)state;
	assert_int_equal(lifetime_summary_older(&profile, &profile.samples[0], 1), 200);
	assert_int_equal(lifetime_summary_older(&profile, &profile.samples[0], 50000000), 200);
	assert_int_equal(lifetime_summary_older(&profile, &profile.samples[0], 50000001), 195);
	assert_int_equal(lifetime_summary_older(&profile, &profile.samples[0], 1050000000), 150);
	assert_int_equal(lifetime_summary_older(&profile, &profile.samples[0], 10000000000), 0);
	assert_int_equal(lifetime_summary_older(&profile, &profile.samples[1], 1), 0);
	assert_int_equal(lifetime_summary_older(&profile, &profile.samples[3], 1000000000), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lifetable_of_living_profile_matches_golden_file),
		cmocka_unit_test(test_lifetable_shows_growing_sites_before_larger_ones),
		cmocka_unit_test(test_lifetable_has_no_median_before_a_cycle_has_completed),
		cmocka_unit_test(test_lifetable_of_a_short_recording_is_too_early),
		cmocka_unit_test(test_lifetable_without_a_cycle_knows_growth),
		cmocka_unit_test(test_lifetable_without_a_limit_says_nothing_of_it),
		cmocka_unit_test(test_lifespan_time_left_is_room_by_growth),
		cmocka_unit_test(test_lifetable_says_why_nothing_is_known),
		cmocka_unit_test(test_lifespan_of_sites_is_what_they_were_made_to_be),
		cmocka_unit_test(test_lifespan_older_counts_what_is_known_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
