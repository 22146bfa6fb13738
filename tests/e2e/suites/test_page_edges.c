/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page at its edges, in Debian's Chromium: profiles of nothing, of one sample, of names that are hostile or without end, of 100 000 sites;
 * members of its data that are unknown; numbers of all sizes; a keyboard alone; no script. Nothing here is recorded, so the Makefile runs it
 * beside the tests that trace.
 */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit/profile/golden.h"
#include "unit/profile/made_profile.h"
#include "unit/view/wide_profile.h"

#include "base/status.h"
#include "base/string_list.h"
#include "base/text.h"
#include "base/units.h"
#include "e2e/kit/browser.h"
#include "e2e/kit/session.h"
#include "format/output_file.h"
#include "format/pprof_write.h"
#include "format/site_label.h"
#include "view/survival_curve.h"

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

/* How long the objects of each site live: {label: [[age in ns, estimate, lower, upper, at risk], ...]}. */
static cJSON *curves_of(const struct profile *profile)
{
	cJSON *all = cJSON_CreateObject();
	char label[SITE_LABEL_SIZE];
	struct survival_curve *curves;
	struct profile_site *sites;
	u32 count;

	assert_int_equal(profile_sites(profile, INUSE_SPACE, &sites, &count), 0);
	assert_int_equal(survival_curves_make(profile, sites, count, &curves), 0);
	for (u32 i = 0; i < count; i++) {
		cJSON *points = cJSON_AddArrayToObject(all, site_label(profile, &sites[i], 200, label));

		assert_true(curves[i].count > 1);
		for (u32 at = 0; at < curves[i].count; at++) {
			const struct survival_curve_point *point = &curves[i].points[at];
			const double numbers[] = {(double)point->age_ns, point->estimate, point->lower, point->upper,
						  point->at_risk};

			cJSON_AddItemToArray(points, cJSON_CreateDoubleArray(numbers, 5));
		}
	}
	free(curves);
	free(sites);
	return all;
}

/* What is not known is null in the data, or is not there: each member that may be so, on its own and all of them. */
static void test_page_of_unknown_figures_can_be_used(void **state)
{
	struct profile profile = golden_living();
	cJSON *expected = cJSON_Parse(total(&profile));
	char *text;

	cJSON_AddItemToObject(expected, "curves", curves_of(&profile));
	text = cJSON_PrintUnformatted(expected);
	browser_run("unknown.mjs", page_of(*state, &profile), text);
	free(text);
	cJSON_Delete(expected);
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

/* Numbers on both sides of each unit and of each half of a digit, and others. */
static double number_of(unsigned int i)
{
	static const double units[] = {1, 1000, 1024, 1e6, 1048576, 1e9, 1073741824.0};

	return i % 3 ? units[i % 7] * (i / 16.0) + i % 5 : (double)(i * i % 1000003);
}

static void put_pairs(const char *name, struct units_text (*text)(double number), FILE *out)
{
	fprintf(out, "\"%s\": [", name);
	for (unsigned int i = 0; i < 20000; i++)
		fprintf(out, "%s[%.17g, \"%s\"]", i ? "," : "", number_of(i), text(number_of(i)).text);
	fputs("]", out);
}

static struct units_text digits_of(double number)
{
	return units_digits((u64)llround(number));
}

static void test_page_writes_numbers_as_the_terminal_does(void **state)
{
	struct scene *scene = *state;
	FILE *out = fopen(format("%s/numbers.json", scene->dir), "we");

	assert_non_null(out);
	fputs("{", out);
	put_pairs("bytes", units_bytes, out);
	fputs(",", out);
	put_pairs("digits", digits_of, out);
	fputs(",", out);
	put_pairs("seconds", units_seconds, out);
	fputs("}", out);
	assert_int_equal(fclose(out), 0);
	browser_run("numbers.mjs", format("%s/numbers.json", scene->dir), NULL);
}

/* A process, one of whose functions has that name. */
static void write_made(const struct scene *scene, const char *name, const char *page)
{
	int dir = open(scene->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct made made;
	char **files;

	make(&made, 7, 0x10000, name);
	sample(&made, 0, 100, 50, 10);
	sample(&made, 1, 100, 50, 40);
	assert_int_equal(output_file_write(dir, &made.profile, FORMAT_PPROF, "", &files), 0);
	close(dir);
	browser_make_page(format("--html '%s/%s' '%s/%s'", scene->dir, page, scene->dir, files[0]));
	string_list_free(files);
}

/* What a process may call its code; the last one has a terminal's escapes and what is no UTF-8. */
static void test_page_takes_hostile_names_for_text(void **state)
{
	static const char *const names[] = {
		"</script><script>globalThis.taken=1</script>",
		"<img/src=x/onerror=globalThis.taken=1>",
		"</noscript><b>@DATA@@SCRIPT@",
		"\\u003cb>${globalThis.taken=1}`'&lt;b&gt;",
		"\"onfocus=\"globalThis.taken=1",
		"esc\033[31m\x80\x07red",
	};
	struct scene *scene = *state;
	cJSON *shown = cJSON_CreateArray();
	char *text;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *clean = text_clean(names[i]);

		write_made(scene, names[i], format("%zu.html", i));
		cJSON_AddItemToArray(shown, cJSON_CreateString(clean));
		free(clean);
	}
	text = cJSON_PrintUnformatted(shown);
	browser_run("hostile.mjs", scene->dir, text);
	free(text);
	cJSON_Delete(shown);
}

/* What is too small to see is in boxes that say so, and the whole stays exact. */
static void test_page_of_very_many_sites_shows_the_whole(void **state)
{
	struct scene *scene = *state;
	struct wide_profile wide;
	u64 total[MEASURE_MAX];
	struct stat status;
	FILE *out = fopen(format("%s/wide.pb.gz", scene->dir), "we");

	wide_profile_make(&wide, 100000, 30);
	wide_profile_add_lifetimes(&wide);
	assert_non_null(out);
	assert_int_equal(pprof_write(&wide.profile, out), 0);
	assert_int_equal(fclose(out), 0);
	profile_totals(&wide.profile, total);
	wide_profile_release(&wide);
	browser_make_page(format("--html '%s/page.html' '%s/wide.pb.gz'", scene->dir, scene->dir));
	assert_int_equal(stat(format("%s/page.html", scene->dir), &status), 0);
	assert_true(status.st_size < 5 << 20);
	browser_run("many.mjs", format("%s/page.html", scene->dir), units_bytes((double)total[INUSE_SPACE]).text);
}

/* One sentence, and the status says that it failed; what was there stays. */
static void assert_refused(struct scene *scene, const char *html, const char *sentence)
{
	session_start_bare(&scene->session, (const char *const[]){"report", "--html", html,
								  format("%s/7.made.pb.gz", scene->dir), NULL});
	assert_int_equal(session_finish(&scene->session), STATUS_FAILED);
	session_assert_said(&scene->session, sentence);
}

static void test_page_is_not_written_in_the_place_of_anything_else(void **state)
{
	struct scene *scene = *state;
	char link[PATH_MAX];
	struct stat status;

	write_made(scene, "name", "page.html");
	text_path(link, "%s/link.html", scene->dir);
	assert_int_equal(symlink("page.html", link), 0);
	assert_refused(scene, link, "it is there, and no regular file");
	assert_int_equal(lstat(link, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_refused(scene, scene->dir, "it is there, and no regular file");
	assert_refused(scene, format("%s/none/page.html", scene->dir), "there is no such directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_page_of_an_empty_profile_says_so),
		TEST(test_page_of_one_sample_can_be_used),
		TEST(test_page_without_in_use_can_be_used),
		TEST(test_page_of_unknown_figures_can_be_used),
		TEST(test_page_of_very_long_names_can_be_used),
		TEST(test_page_of_10000_sites_folds_them),
		TEST(test_page_is_used_by_keys_alone),
		TEST(test_page_writes_numbers_as_the_terminal_does),
		TEST(test_page_takes_hostile_names_for_text),
		TEST(test_page_of_very_many_sites_shows_the_whole),
		TEST(test_page_is_not_written_in_the_place_of_anything_else),
	};

	return cmocka_run_group_tests_name("page_edges", tests, NULL, NULL);
}
