/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The six laws of tests/unit/profile/test_verdict_rate.c as real programs, at the default interval: see target_laws.c. The law's
 * verdict must be that of three of five like sites at least, and a leak's growth the true one.
 *
 * How often a test fails by chance: of 20 000 simulated sites a law (test_verdict_rate.c with more seeds, 80 cycles) none was
 * called growing that should not be, and of the leaks none alone and 30 beside turnover were missed. So one of them fails
 * in at most 10 * (1.5 * 10^-3)^3 = 4 * 10^-8 of its runs.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/sites.h"

#define SITES	   5
#define CYCLES_MIN 60
#define BUCKETS	   14

/* The five sites together. */
struct sites {
	unsigned int count, right;
	double growth, variance;
	uint64_t inuse_samples;
};

static const char *history_path(const struct scene *scene)
{
	return format("%s/history", scene->dir);
}

/* The profile of a run of the law, cycles and all; the caller's. */
static cJSON *record(struct scene *scene, const char *law)
{
	const char *const args[] = {"-f", "json", "--", beside("target_laws"), law, history_path(scene), NULL};
	cJSON *profile;

	assert_int_equal(session_run(&scene->session, scene, args), 0);
	profile = profile_read(&scene->session, "target_laws");
	assert_true(index_number(profile, "sample_bytes") == 512 << 10);
	assert_true(index_number(profile, "model.cycles") >= CYCLES_MIN);
	return profile;
}

static struct sites sites_of(const cJSON *profile, const char *verdict)
{
	struct sites sites = {0};
	const cJSON *site;

	cJSON_ArrayForEach (site, json_member(profile, "sites")) {
		const cJSON *lifetime_summary = json_member(site, "lifespan");

		if (strncmp(site_function(profile, site), "site_", strlen("site_")))
			continue;
		sites.count++;
		sites.right += !strcmp(site_verdict(site), verdict);
		sites.growth += json_number(lifetime_summary, "growth_bytes_per_second");
		sites.variance += pow(json_number(lifetime_summary, "growth_standard_error"), 2);
		sites.inuse_samples += (uint64_t)json_number(site, "inuse_samples");
	}
	return sites;
}

static struct sites assert_verdict(const cJSON *profile, const char *verdict)
{
	struct sites sites = sites_of(profile, verdict);

	if (sites.count != SITES || sites.right * 2 < SITES)
		fail_msg("%u of %u sites are %s:\n%s", sites.right, sites.count, verdict,
			 cJSON_Print(json_member(profile, "sites")));
	return sites;
}

static void test_law(struct scene *scene, const char *law, const char *verdict)
{
	cJSON *profile = record(scene, law);

	assert_verdict(profile, verdict);
	cJSON_Delete(profile);
}

/* --- those that do not grow ----------------------------------------------------------------------------------------- */

static void test_verdicts_of_what_dies_at_once_are_transient(void **state)
{
	test_law(*state, "transient", "transient");
}

static void test_verdicts_of_turnover_are_steady(void **state)
{
	test_law(*state, "turnover", "steady");
}

/*
 * Here all that was allocated is still there, which shows how many samples a verdict rests on. Of 4520 blocks each is
 * taken with p = 1 - exp(-1/4) = 0.221: 1000 with a standard deviation of 28, of which six are allowed (2 * 10^-9).
 */
static void test_verdicts_of_a_filled_cache_are_steady(void **state)
{
	cJSON *profile = record(*state, "cache");
	struct sites sites = assert_verdict(profile, "steady");

	assert_in_range(sites.inuse_samples, 1000 - 6 * 28, 1000 + 6 * 28);
	cJSON_Delete(profile);
}

static void test_verdicts_of_a_sawtooth_are_steady(void **state)
{
	test_law(*state, "sawtooth", "steady");
}

/* --- behind a wrapper --- */

/*
 * One site that was all three had one verdict, too. At one sample in 16 KiB the leak has 3450 samples and more (6
 * sigma), none of which dies: what is called growing with 300 is not missed (test_verdict_time.c), and the other two have
 * nothing that becomes old and stays.
 */
static void test_verdicts_are_those_of_a_wrappers_callers(void **state)
{
	static const char *const expected[][2] = {{"serve", "transient"}, {"leak", "growing"}, {"replace", "steady"}};
	struct scene *scene = *state;
	const char *const args[] = {"-R", "16K", "-f", "json,pprof", "--", beside("target_wrapper"), NULL};
	const cJSON *site;
	unsigned int found = 0;
	cJSON *profile;
	char *table;

	assert_int_equal(session_run(&scene->session, scene, args), 0);
	profile = profile_read(&scene->session, "target_wrapper");
	cJSON_ArrayForEach (site, json_member(profile, "sites"))
		for (unsigned int i = 0; i < 3; i++) {
			if (strcmp(site_function(profile, site), expected[i][0]))
				continue;
			found |= 1U << i;
			assert_string_equal(site_verdict(site), expected[i][1]);
			assert_true(site_calls(profile, site, "obtain"));
		}
	assert_int_equal(found, 7);
	/* The file says so too. */
	table = session_report(&scene->session, "--lifetimes");
	assert_non_null(strstr(table, "  leak"));
	assert_null(strstr(table, "  obtain"));
	free(table);
	cJSON_Delete(profile);
}

/* --- those that do -------------------------------------------------------------------------------------------------- */

/* Bytes that the target had leaked by then, by its own account: at most and at least. */
static void leaked_by(const struct scene *scene, double unix_ns, double *ret_least, double *ret_most)
{
	FILE *file = fopen(history_path(scene), "re");
	double time_ns, bytes;

	assert_non_null(file);
	*ret_least = *ret_most = 0;
	while (fscanf(file, "%lf %lf", &time_ns, &bytes) == 2) {
		*ret_most = bytes;
		if (time_ns > unix_ns)
			break;
		*ret_least = bytes;
	}
	fclose(file);
}

/*
 * When those were born who count for growth: from the end of the first quarter of the time until a third of it
 * before the end, both in whole buckets of time, rounded up. Widths are as user/profile/lifetime.h says.
 */
static void growth_window(const cJSON *profile, double *ret_start, double *ret_end)
{
	const cJSON *buckets = json_member(json_member(profile, "model"), "bucket_ns");
	uint64_t ticks = index_number(profile, "model.ticks"), width = 1, quarter, third;
	double start = json_number(profile, "start_unix_ns");

	while (ticks / width >= BUCKETS)
		width *= 2;
	quarter = (ticks + 4 * width - 1) / (4 * width);
	third = (ticks + 3 * width - 1) / (3 * width);
	*ret_start = start + cJSON_GetNumberValue(cJSON_GetArrayItem(buckets, (int)quarter));
	*ret_end = start + cJSON_GetNumberValue(cJSON_GetArrayItem(buckets, (int)(ticks / width - third)));
}

/*
 * Growth by the time it was measured over, against what the target says it leaked in that time, and within six of the
 * stated standard errors. These are those of Poisson counts; the sampler's are 0.88 times that, since it takes one in
 * 4.5 of these blocks; 40 recordings of each leak were 0.90 and 0.85 of a stated error from the truth on average (root
 * of mean square), so six of them are seven standard deviations: less than once in 10^8 runs even where the counts are
 * low, which makes the stated error small.
 */
static void assert_growth(const struct scene *scene, const cJSON *profile, const struct sites *sites)
{
	double start, end, least[2], most[2], seconds, grown, allowed;

	growth_window(profile, &start, &end);
	leaked_by(scene, start, &least[0], &most[0]);
	leaked_by(scene, end, &least[1], &most[1]);
	seconds = (end - start) / 1e9;
	grown = sites->growth * seconds;
	allowed = 6 * sqrt(sites->variance) * seconds;
	if (grown < least[1] - most[0] - allowed || grown > most[1] - least[0] + allowed || allowed > grown)
		fail_msg("grown by %.0f bytes +-%.0f in %.3f s, in truth by %.0f to %.0f", grown, allowed, seconds,
			 least[1] - most[0], most[1] - least[0]);
}

static void test_leak(struct scene *scene, const char *law)
{
	cJSON *profile = record(scene, law);
	struct sites sites = assert_verdict(profile, "growing");

	assert_growth(scene, profile, &sites);
	cJSON_Delete(profile);
}

static void test_verdicts_of_a_leak_are_growing_and_as_fast_as_it_is(void **state)
{
	test_leak(*state, "leak");
}

static void test_verdicts_of_a_leak_beside_turnover_are_growing_and_as_fast_as_it_is(void **state)
{
	test_leak(*state, "leak-beside");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_verdicts_of_what_dies_at_once_are_transient),
		TEST(test_verdicts_of_turnover_are_steady),
		TEST(test_verdicts_of_a_filled_cache_are_steady),
		TEST(test_verdicts_of_a_sawtooth_are_steady),
		TEST(test_verdicts_are_those_of_a_wrappers_callers),
		TEST(test_verdicts_of_a_leak_are_growing_and_as_fast_as_it_is),
		TEST(test_verdicts_of_a_leak_beside_turnover_are_growing_and_as_fast_as_it_is),
	};

	return cmocka_run_group_tests_name("verdicts", tests, NULL, NULL);
}
