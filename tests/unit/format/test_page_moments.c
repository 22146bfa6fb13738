/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page_moments.c and page_difference.c: earlier moments of a view, and pairs of profiles. */
#include "page_scene.h"
#include "pprof_file.h"

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

static void test_page_data_of_a_pair_has_both_sides(void **state)
{
	struct profile before = golden_all_live(), after = golden_small();
	u64 old[MEASURE_MAX], new[MEASURE_MAX], old_sum[MEASURE_MAX] = {0}, new_sum[MEASURE_MAX] = {0};
	struct page page = {.title = "pair"};
	const cJSON *difference, *site;
	double change[MEASURE_MAX] = {0};
	cJSON *json;

	(void)state;
	profile_totals(&before, old);
	profile_totals(&after, new);
	assert_int_equal(page_data_add_difference(&page, &before, "old", &after, "new"), 0);
	json = parse(write_document(&page));
	difference = member(json, "difference");
	assert_string_equal(member(member(difference, "before"), "name")->valuestring, "old");
	add_up(member(member(difference, "tree"), "before_self"), old_sum);
	add_up(member(member(difference, "tree"), "after_self"), new_sum);
	assert_memory_equal(old_sum, old, sizeof(old));
	assert_memory_equal(new_sum, new, sizeof(new));
	cJSON_ArrayForEach (site, member(difference, "sites"))
		for (unsigned int m = 0; m < MEASURE_MAX; m++)
			change[m] += at(member(site, "change"), m)->valuedouble;
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		assert_true(change[m] == (double)new[m] - (double)old[m]);
		assert_true(change[m] == at(member(member(difference, "sum"), "change"), m)->valuedouble);
	}
	assert_int_equal(count(member(json, "views")), 0);
	cJSON_Delete(json);
	page_data_release(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_data_has_what_was_in_use_at_earlier_moments),
		cmocka_unit_test(test_page_data_of_a_pair_has_both_sides),
	};

	return cmocka_run_group_tests(tests, make_file, close_file);
}
