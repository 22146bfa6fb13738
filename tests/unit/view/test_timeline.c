/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timeline.c: what is kept of many points, and each site's history. */
#include "unit/profile/golden.h"

#include "view/timeline.h"

static void check_points(const struct timeline *timeline, u64 added)
{
	assert_in_range(timeline->count, 1, TIMELINE_POINTS);
	assert_int_equal(timeline->points[0].at_ns, 0);
	assert_int_equal(timeline->points[timeline->count - 1].at_ns, added - 1);
	for (u32 i = 1; i + 1 < timeline->count; i++)
		assert_int_equal(timeline->points[i].at_ns, timeline->points[1].at_ns * i);
	if (added > TIMELINE_POINTS)
		assert_true(timeline->count > TIMELINE_POINTS / 2);
}

/* However many are added: evenly spaced from the first on, and the last one is there. */
static void test_timeline_keeps_even_points_and_the_last(void **state)
{
	struct timeline timeline = {0};

	(void)state;
	for (u64 i = 0; i < 1000; i++) {
		timeline_add(&timeline, &(struct timeline_point){.at_ns = i});
		check_points(&timeline, i + 1);
	}
	timeline_release(&timeline);
}

static struct profile_site find(const struct profile *profile, const char *function)
{
	struct profile_site *sites, found = {0};
	u32 count;

	assert_int_equal(profile_sites(profile, INUSE_SPACE, &sites, &count), 0);
	for (u32 i = 0; i < count; i++)
		if (profile_site_line(&sites[i]) && !strcmp(profile_site_line(&sites[i])->function, function))
			found = sites[i];
	free(sites);
	assert_non_null(found.location);
	return found;
}

/* A site that begins later has had nothing in use before; points that are dropped take their part of its history along. */
static void test_timeline_has_what_each_site_had_in_use(void **state)
{
	struct profile first = golden_all_live(), second = golden_small();
	struct profile_site node = find(&first, "make_node"),
			    grow = find(&second, "ns::list<int>::grow(unsigned long)");
	struct timeline timeline = {0};
	const u64 *history;
	u64 total[MEASURE_MAX];

	(void)state;
	for (u32 i = 0; i < 3 * TIMELINE_POINTS; i++)
		assert_int_equal(timeline_add_profile(&timeline, i, i < TIMELINE_POINTS ? &first : &second), 0);
	for (u32 i = 0; i < timeline.count; i++) {
		const struct profile *profile = timeline.points[i].at_ns < TIMELINE_POINTS ? &first : &second;

		profile_totals(profile, total);
		assert_memory_equal(timeline.points[i].value, total, sizeof(total));
		node = find(profile, "make_node");
		history = timeline_history(&timeline, profile, &node);
		assert_non_null(history);
		assert_int_equal(history[i], node.value[INUSE_SPACE]);
		history = timeline_history(&timeline, &second, &grow);
		assert_non_null(history);
		assert_int_equal(history[i], profile == &second ? grow.value[INUSE_SPACE] : 0);
	}
	timeline_release(&timeline);
}

static void test_timeline_has_no_history_of_a_site_it_never_saw(void **state)
{
	struct profile first = golden_all_live(), second = golden_small();
	struct profile_site grow = find(&second, "ns::list<int>::grow(unsigned long)");
	struct timeline timeline = {0};

	(void)state;
	assert_int_equal(timeline_add_profile(&timeline, 1, &first), 0);
	assert_null(timeline_history(&timeline, &second, &grow));
	timeline_release(&timeline);
}

static void test_timeline_picks_moments_evenly_up_to_the_last(void **state)
{
	(void)state;
	for (u32 count = 1; count < 200; count++) {
		u32 wanted = count < TIMELINE_POINTS ? count : TIMELINE_POINTS, before = 0;

		assert_int_equal(timeline_pick(count, wanted, wanted - 1), count - 1);
		for (u32 i = 0; i < wanted; i++) {
			assert_true(!i || timeline_pick(count, wanted, i) > before);
			before = timeline_pick(count, wanted, i);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timeline_keeps_even_points_and_the_last),
		cmocka_unit_test(test_timeline_has_what_each_site_had_in_use),
		cmocka_unit_test(test_timeline_has_no_history_of_a_site_it_never_saw),
		cmocka_unit_test(test_timeline_picks_moments_evenly_up_to_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
