/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page_data.c: names may be anything, and however much there is, what is not shown is counted. */
#include "page_scene.h"
#include "unit/view/wide_profile.h"

#include "base/text.h"
#include "profile/profile_copy.h"

/* --- names --- */

static void check_harmless(const char *text)
{
	assert_null(strchr(text, '<'));
	for (const char *c = text; *c; c += text_character_length(c)) {
		assert_true(text_character_length(c) > 0);
		assert_true(*c == '\n' || !text_is_control(c));
	}
}

/* Markup, quotes, terminal escapes and what is no UTF-8. */
static void test_page_data_of_hostile_names_is_harmless(void **state)
{
	static char name[] = "</script><script>alert(\"1\")</script>\x1b[31m\n\\\xff\xc0\x80<!--\xe2\x80\xa8";
	struct profile profile = golden_small();
	struct profile_location locations[LOCATIONS];
	struct profile_line line = {name, name, name, 1, 1, FRAME_PROGRAM};
	struct index_entry entry;
	struct page page = {.title = name, .entries = &entry, .entry_count = 1};
	struct page_view view = {.name = name, .profile = &profile, .entry = 0};
	const cJSON *function;
	bool found = false;
	cJSON *json;
	char *text;

	(void)state;
	memcpy(locations, profile.locations, sizeof(locations));
	locations[GROW].lines = &line;
	profile.locations = locations;
	profile.comm = profile.exe = profile.container = profile.container_name = name;
	entry = index_entry_of(&profile, NULL);
	assert_int_equal(page_data_add_view(&page, &view), 0);
	text = write_glance(&page);
	check_harmless(text);
	free(text);
	assert_int_equal(page_data_add_difference(&page, &(struct page_pair){&profile, &profile, name, name}), 0);
	text = write_glance(&page);
	check_harmless(text);
	free(text);
	text = write_document(&page);
	check_harmless(text);
	json = parse(text);
	cJSON_ArrayForEach (function, member(at(member(json, "views"), 0), "functions"))
		if (!strcmp(at(function, 0)->valuestring, "</script><script>alert(\"1\")</script>?[31m?\\"
							  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd<!--\xe2\x80\xa8"))
			found = true;
	assert_true(found);
	assert_string_equal(member(json, "title")->valuestring,
			    member(at(member(json, "views"), 0), "name")->valuestring);
	cJSON_Delete(json);
	page_data_release(&page);
}

/* --- many --- */

/* So small that it is shown before the rest is read. */
static void check_first_glance(const struct page *page, const u64 total[MEASURE_MAX])
{
	char *text = write_glance(page);
	const cJSON *view;
	cJSON *json;

	assert_true(strlen(text) < 128 << 10);
	json = parse(text);
	view = at(member(json, "views"), 0);
	check_tree(view, "tree", total);
	check_sites(view, total);
	assert_in_range(count(member(member(view, "tree"), "parent")), 2, 300);
	assert_int_equal(count(member(view, "sites")), 25);
	assert_int_equal(number(member(at(member(view, "sites"), 24), "gathered")), 19976);
	cJSON_Delete(json);
}

/* What is too small is gathered, what is too much is said; sums stay. */
static void test_page_data_of_many_sites_is_bounded_and_exact(void **state)
{
	struct wide_profile wide;
	struct index_entry entry;
	struct page page = {.title = "wide", .entries = &entry, .entry_count = 1};
	u64 total[MEASURE_MAX];
	const cJSON *view;
	cJSON *json;
	char *text;

	(void)state;
	wide_profile_make(&wide, 20000, 25);
	wide_profile_add_lifetimes(&wide);
	entry = index_entry_of(&wide.profile, NULL);
	add(&page, PAGE_VIEW_PROCESS, &wide.profile, 0);
	text = write_document(&page);
	assert_true(strlen(text) < 5 << 20);
	json = parse(text);
	view = at(member(json, "views"), 0);
	profile_totals(&wide.profile, total);
	check_tree(view, "tree", total);
	check_tree(view, "inverted", total);
	check_sites(view, total);
	assert_int_equal(count(member(view, "sites")), 501);
	assert_int_equal(number(member(at(member(view, "sites"), 500), "gathered")), 19500);
	cJSON_Delete(json);
	check_first_glance(&page, total);
	page_data_release(&page);
	wide_profile_release(&wide);
}

static int copy_moment(u32 index, void *arg, struct profile **ret_profile)
{
	(void)index;
	*ret_profile = profile_copy(arg);
	return *ret_profile ? 0 : -ENOMEM;
}

/* So many of very many earlier profiles are taken that the page stays small. */
static void test_page_data_of_many_moments_is_bounded(void **state)
{
	struct wide_profile wide;
	struct page page = {.title = "moments"};
	struct page_view view = {.name = "moments",
				 .profile = &wide.profile,
				 .entry = PAGE_VIEW_NO_ENTRY,
				 .moment_count = 1000,
				 .read_moment = copy_moment,
				 .arg = &wide.profile};
	const cJSON *moments;
	cJSON *json;
	char *text;

	(void)state;
	wide_profile_make(&wide, 2000, 20);
	assert_int_equal(page_data_add_view(&page, &view), 0);
	text = write_document(&page);
	assert_true(strlen(text) < 5 << 20);
	json = parse(text);
	moments = member(at(member(json, "views"), 0), "moments");
	assert_in_range(count(moments), 20, 60);
	assert_int_equal(count(member(at(member(json, "views"), 0), "timeline")), count(moments));
	cJSON_Delete(json);
	page_data_release(&page);
	wide_profile_release(&wide);
}

/* The first view fits always, later ones have less detail, and those that do not fit are named but not shown. */
static void test_page_data_takes_views_until_it_is_full(void **state)
{
	struct wide_profile wide;
	struct index_entry entries[200];
	struct page page = {.title = "many", .entries = entries, .entry_count = 200};
	struct page_view view = {.kind = PAGE_VIEW_PROCESS, .name = "one of many", .profile = &wide.profile};
	u32 shown = 0;
	cJSON *json;

	(void)state;
	wide_profile_make(&wide, 3000, 10);
	for (u32 i = 0; i < 200; i++)
		entries[i] = index_entry_of(&wide.profile, NULL);
	add(&page, PAGE_VIEW_ALL, &wide.profile, PAGE_VIEW_NO_ENTRY);
	for (; shown < 200; shown++) {
		view.entry = shown;
		if (page_data_add_view(&page, &view))
			break;
	}
	assert_in_range(shown, 5, 199);
	assert_int_equal(page_data_add_view(&page, &view), 1);
	json = parse(write_document(&page));
	assert_int_equal(count(member(json, "views")), shown + 1);
	assert_int_equal(number(member(at(member(json, "processes"), shown - 1), "view")), shown);
	assert_true(cJSON_IsNull(member(at(member(json, "processes"), shown), "view")));
	cJSON_Delete(json);
	page_data_release(&page);
	wide_profile_release(&wide);
}

/* Those of very many processes that matter least are one sum; one that has a view is never among them. */
static void test_page_data_of_many_processes_adds_up_those_that_matter_least(void **state)
{
	enum {
		PROCESSES = 3000,
		SHOWN = 1000
	};
	static struct index_entry entries[PROCESSES];
	struct profile small = golden_small(), empty = golden_empty();
	struct page page = {.title = "crowd", .entries = entries, .entry_count = PROCESSES};
	const cJSON *rest, *row;
	u64 sum = 0, total[MEASURE_MAX];
	cJSON *json;

	(void)state;
	profile_totals(&small, total);
	for (u32 i = 0; i < PROCESSES; i++)
		entries[i] = index_entry_of(i % 2 ? &small : &empty, NULL);
	add(&page, PAGE_VIEW_PROCESS, &empty, 0);
	json = parse(write_document(&page));
	rest = member(json, "processes_rest");
	assert_int_equal(count(member(json, "processes")), SHOWN + 1);
	assert_int_equal(number(member(rest, "count")), PROCESSES - SHOWN - 1);
	cJSON_ArrayForEach (row, member(json, "processes"))
		sum += number(member(row, "alloc_space"));
	assert_int_equal(sum, SHOWN * total[ALLOC_SPACE]);
	sum += number(member(rest, "alloc_space"));
	assert_int_equal(sum, PROCESSES / 2 * total[ALLOC_SPACE]);
	cJSON_Delete(json);
	page_data_release(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_data_of_hostile_names_is_harmless),
		cmocka_unit_test(test_page_data_of_many_sites_is_bounded_and_exact),
		cmocka_unit_test(test_page_data_of_many_moments_is_bounded),
		cmocka_unit_test(test_page_data_takes_views_until_it_is_full),
		cmocka_unit_test(test_page_data_of_many_processes_adds_up_those_that_matter_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
