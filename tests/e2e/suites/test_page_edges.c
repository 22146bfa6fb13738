/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page at its edges, in Debian's Chromium: profiles of nothing, of one sample, of names without end, of 10 000 sites; members of its data
 * that are unknown; a keyboard alone; no script.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unit/profile/golden.h"
#include "unit/profile/made_profile.h"
#include "unit/view/wide_profile.h"

#include "base/units.h"
#include "e2e/kit/browser.h"
#include "e2e/kit/session.h"
#include "format/pprof_write.h"

#define SITES 10000

/* The page of a profile, below the scene's directory: its path, as format returns it. */
static const char *page_of(const struct scene *scene, const struct profile *profile)
{
	FILE *out = fopen(format("%s/profile.pb.gz", scene->dir), "we");

	assert_non_null(out);
	assert_int_equal(pprof_write(profile, out), 0);
	assert_int_equal(fclose(out), 0);
	browser_make_page(format("--html '%s/page.html' '%s/profile.pb.gz'", scene->dir, scene->dir));
	return format("%s/page.html", scene->dir);
}

static const char *total(const struct profile *profile)
{
	u64 total[MEASURE_MAX];

	profile_totals(profile, total);
	return format("{\"total\": \"%s\"}", units_bytes((double)total[INUSE_SPACE]).text);
}

static void test_page_of_an_empty_profile_says_so(void **state)
{
	struct profile profile = golden_empty();

	browser_run("empty.mjs", page_of(*state, &profile), NULL);
}

static void test_page_of_one_sample_can_be_used(void **state)
{
	struct made made;

	make(&made, 7, 0x10000, "generated");
	sample(&made, 0, 100, 1, 1);
	browser_run("edges.mjs", page_of(*state, &made.profile), total(&made.profile));
}

static void test_page_without_in_use_can_be_used(void **state)
{
	struct profile profile = golden_alloc_only();

	browser_run("edges.mjs", page_of(*state, &profile), "{\"total\": \"not recorded\"}");
}

/* What is not known is null in the data, or is not there: each member that may be so, on its own and all of them. */
static void test_page_of_unknown_figures_can_be_used(void **state)
{
	struct profile profile = golden_living();

	browser_run("unknown.mjs", page_of(*state, &profile), total(&profile));
}

/* "long::long::...::end<int>(int)" of many thousand characters, in the middle of them a part that no line can be broken in. */
static void test_page_of_very_long_names_can_be_used(void **state)
{
	static char name[20000];
	struct made made;

	memset(name, 'x', sizeof(name) - 1);
	for (size_t i = 0; i < 5000; i += 6)
		memcpy(name + i, "long::", 6);
	memcpy(name + sizeof(name) - 20, "::end<int>(int, int)", 20);
	name[sizeof(name) - 1] = '\0';
	make(&made, 7, 0x10000, name);
	sample(&made, 0, 100, 50, 10);
	sample(&made, 1, 100, 50, 40);
	browser_run("edges.mjs", page_of(*state, &made.profile), total(&made.profile));
}

static struct wide_profile *make_wide(void)
{
	static struct wide_profile wide;

	wide_profile_make(&wide, SITES, 12);
	wide_profile_add_lifetimes(&wide);
	return &wide;
}

static void test_page_of_10000_sites_folds_them(void **state)
{
	struct wide_profile *wide = make_wide();
	const char *page = page_of(*state, &wide->profile), *expected = total(&wide->profile);

	wide_profile_release(wide);
	browser_run("edges.mjs", page, expected);
	browser_run("folded.mjs", page, format("%d", SITES));
}

static void test_page_is_used_by_keys_alone(void **state)
{
	struct wide_profile *wide = make_wide();
	const char *page = page_of(*state, &wide->profile);

	wide_profile_release(wide);
	browser_run("keyboard.mjs", page, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_page_of_an_empty_profile_says_so),	TEST(test_page_of_one_sample_can_be_used),
		TEST(test_page_without_in_use_can_be_used),	TEST(test_page_of_unknown_figures_can_be_used),
		TEST(test_page_of_very_long_names_can_be_used), TEST(test_page_of_10000_sites_folds_them),
		TEST(test_page_is_used_by_keys_alone),
	};

	return cmocka_run_group_tests_name("page_edges", tests, NULL, NULL);
}
