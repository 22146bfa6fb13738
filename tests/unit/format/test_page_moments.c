/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page_moments.c and page_difference.c: earlier moments of a view, and pairs of profiles. */
#include "page_scene.h"
#include "pprof_file.h"
#include "unit/view/wide_profile.h"

#include "view/difference.h"

/* --- moments and pairs --- */

/* In the i-th moment as many times ten objects of make_node are in use. */
static int make_moment(u32 index, void *arg, struct profile **ret_profile)
{
	struct profile live = golden_all_live();
	struct profile *now = arg, *read;

	if (index == 2)
		return -ENOENT; /* it was removed meanwhile */
	live.exited = index == 7;
	live.rss_end_bytes = 1000 * (index + 1);
	live.start_unix_ns = now->start_unix_ns;
	live.duration_ns = now->duration_ns * (index + 1) / 10;
	read = read_back(&live);
	read->samples[0].inuse_count = read->samples[0].alloc_count = index + 1;
	*ret_profile = read;
	return 0;
}

static void test_page_data_has_what_was_in_use_at_earlier_moments(void **state)
{
	struct profile now = golden_all_live();
	struct page page = {.title = "moments", .start_unix_ns = now.start_unix_ns};
	struct page_view view = {.name = "moments",
				 .profile = &now,
				 .entry = PAGE_VIEW_NO_ENTRY,
				 .moment_count = 8,
				 .read_moment = make_moment,
				 .arg = &now};
	const cJSON *shown, *tree, *timeline, *moments, *site;
	cJSON *json;

	(void)state;
	assert_int_equal(page_data_add_view(&page, &view), 0);
	json = parse(write_document(&page));
	shown = at(member(json, "views"), 0);
	tree = member(shown, "tree");
	moments = member(shown, "moments");
	timeline = member(shown, "timeline");
	assert_int_equal(count(moments), 8);
	assert_int_equal(count(timeline), 8);
	assert_true(cJSON_Compare(member(at(moments, 7), "self"), member(tree, "self"), true));
	site = at(member(shown, "sites"), 0);
	assert_int_equal(count(member(site, "history")), 8);
	for (u32 i = 0; i < 8; i++) {
		u64 sum[MEASURE_MAX] = {0};

		add_up(member(at(moments, i), "self"), sum);
		assert_int_equal(number(at(at(timeline, i), 0)), number(member(at(moments, i), "at_ns")));
		assert_int_equal(number(at(at(timeline, i), 1)), sum[INUSE_SPACE]);
		assert_int_equal(number(at(at(timeline, i), 4)), sum[ALLOC_OBJECTS]);
		assert_int_equal(number(at(member(site, "history"), i)), sum[INUSE_SPACE]);
	}
	assert_int_equal(number(at(at(timeline, 0), 0)), now.duration_ns / 10);
	assert_int_equal(number(at(at(timeline, 7), 0)), now.duration_ns);
	assert_int_equal(number(at(at(timeline, 0), 5)), 1000);
	assert_int_equal(number(at(at(timeline, 1), 5)), 2000);
	assert_true(cJSON_IsNull(at(at(timeline, 6), 5)));
	cJSON_Delete(json);
	page_data_release(&page);
}

/* Each of them adds up to what the profiles have, and counts all sites. */
static void check_pair(char *text, const u64 old[MEASURE_MAX], const u64 new[MEASURE_MAX], u32 sites)
{
	u64 old_sum[MEASURE_MAX] = {0}, new_sum[MEASURE_MAX] = {0};
	double change[MEASURE_MAX] = {0}, by_state[MEASURE_MAX] = {0};
	cJSON *json = parse(text);
	const cJSON *difference = member(json, "difference"), *item;
	u32 counted = 0;

	assert_string_equal(member(member(difference, "before"), "name")->valuestring, "old");
	add_up(member(member(difference, "tree"), "before_self"), old_sum);
	add_up(member(member(difference, "tree"), "after_self"), new_sum);
	assert_memory_equal(old_sum, old, sizeof(old_sum));
	assert_memory_equal(new_sum, new, sizeof(new_sum));
	cJSON_ArrayForEach (item, member(difference, "states"))
		counted += (u32)number(member(item, "count"));
	assert_int_equal(counted, sites);
	for (int m = 0; m < MEASURE_MAX; m++) {
		cJSON_ArrayForEach (item, member(difference, "sites"))
			change[m] += at(member(item, "change"), (u32)m)->valuedouble;
		cJSON_ArrayForEach (item, member(difference, "states"))
			by_state[m] += at(member(item, "change"), (u32)m)->valuedouble;
		assert_true(change[m] == (double)new[m] - (double)old[m]);
		assert_true(by_state[m] == change[m]);
		assert_true(change[m] == at(member(member(difference, "sum"), "change"), (u32)m)->valuedouble);
	}
	assert_int_equal(count(member(json, "views")), 0);
	cJSON_Delete(json);
}

static void test_page_data_of_a_pair_has_both_sides(void **state)
{
	struct profile before = golden_all_live(), after = golden_small();
	u64 old[MEASURE_MAX], new[MEASURE_MAX];
	struct page page = {.title = "pair"};
	const struct page_pair pair = {&before, &after, "old", "new"};
	struct difference difference;

	(void)state;
	profile_totals(&before, old);
	profile_totals(&after, new);
	assert_int_equal(difference_make(&before, &after, &difference), 0);
	assert_int_equal(page_data_add_difference(&page, &pair), 0);
	check_pair(write_document(&page), old, new, difference.count);
	check_pair(write_glance(&page), old, new, difference.count);
	difference_release(&difference);
	page_data_release(&page);
}

/* 10 000 sites of which half have gone: so small that it is shown before the rest is read. */
static void test_page_data_of_a_large_pair_has_a_small_glance(void **state)
{
	struct wide_profile before, after;
	u64 old[MEASURE_MAX], new[MEASURE_MAX];
	struct page page = {.title = "pair"};
	struct page_pair pair = {&before.profile, &after.profile, "old", "new"};
	char *text;

	(void)state;
	wide_profile_make(&before, 10000, 12);
	wide_profile_make(&after, 5000, 12);
	profile_totals(&before.profile, old);
	profile_totals(&after.profile, new);
	assert_int_equal(page_data_add_difference(&page, &pair), 0);
	check_pair(write_document(&page), old, new, 10000);
	text = write_glance(&page);
	assert_true(strlen(text) < 64 << 10);
	check_pair(text, old, new, 10000);
	page_data_release(&page);
	wide_profile_release(&before);
	wide_profile_release(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_data_has_what_was_in_use_at_earlier_moments),
		cmocka_unit_test(test_page_data_of_a_pair_has_both_sides),
		cmocka_unit_test(test_page_data_of_a_large_pair_has_a_small_glance),
	};

	return cmocka_run_group_tests(tests, make_file, close_file);
}
