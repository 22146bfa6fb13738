/* SPDX-License-Identifier: GPL-2.0-or-later */
/* taken.c: drafts, each of which is completed when its turn comes, while its image lives. */
#include "unit/live/taken_scene.h"

/* What the work has seen, and the number of the profile at which it fails; 0: at none. */
struct seen {
	u64 bytes;
	u32 profiles, fails_at;
};

static int see(struct profile *profile, void *arg)
{
	struct seen *seen = arg;

	if (++seen->profiles == seen->fails_at)
		return -ENOMEM;
	for (u32 i = 0; i < profile->sample_count; i++)
		seen->bytes += profile->samples[i].size;
	return 0;
}

/* Completed, worked on and added up in turn: of each row, the line in the list stays. */
static void assert_worked(struct taken_list *list, u64 inuse, u64 worked, u32 profiles)
{
	struct seen seen = {0};
	struct profile *profile;
	u64 all[MEASURE_MAX];

	assert_int_equal(taken_list_profile(list, &(struct taken_work){.finish = see, .arg = &seen}, &profile), 0);
	profile_totals(profile, all);
	profile_free(profile);
	assert_int_equal(all[INUSE_SPACE], inuse);
	assert_int_equal(seen.bytes, worked);
	assert_int_equal(seen.profiles, profiles);
	for (u32 i = 0; i < list->count; i++) {
		assert_null(list->rows[i].draft);
		assert_non_null(list->rows[i].profile);
	}
	taken_list_release(list);
	taken_scene_end();
}

static void test_taken_drafts_of_several_are_added_up(void **state)
{
	struct taken_list list = {0};

	(void)state;
	draft(&list, 7, 100);
	draft(&list, 8, 50);
	draft(&list, 9, 7);
	assert_worked(&list, 157, 157, 3);
}

static void test_taken_draft_of_one_is_that_process(void **state)
{
	struct taken_list list = {0};

	(void)state;
	draft(&list, 7, 100);
	assert_worked(&list, 100, 100, 1);
}

/* Go's own are worked on after the others, wherever they stand. */
static void test_taken_drafts_beside_go_are_added_up(void **state)
{
	struct taken_list list = {0};

	(void)state;
	draft(&list, 7, 100);
	add_go(&list, 7, 50, 1);
	assert_worked(&list, 150, 150, 2);
	add_go(&list, 6, 1000000, 2);
	draft(&list, 7, 100);
	add_go(&list, 7, 50, 1);
	draft(&list, 8, 10);
	assert_worked(&list, 160, 1000160, 4);
}

/* The one that is given has its names alone: the other one is only completed. */
static void test_taken_draft_that_does_not_go_with_go_is_not_given(void **state)
{
	struct taken_list list = {0};

	(void)state;
	draft(&list, 7, 100);
	add_go(&list, 7, 1000000, 2);
	assert_worked(&list, 1000000, 1000000, 1);
}

/* What is in use is known of Go's own alone. */
static void test_taken_go_beside_a_draft_of_alloc_only_stands_for_its_process(void **state)
{
	struct taken_list list = {0};

	(void)state;
	draft_program(&list, 7, 1, 100, NULL, true);
	add_go(&list, 7, 1000, 1);
	assert_worked(&list, 1000, 1000, 1);
	draft_program(&list, 7, 1, 100, NULL, true);
	add_go(&list, 7, 1000, 1);
	draft_program(&list, 8, 1, 10, NULL, true);
	assert_worked(&list, 0, 1110, 3);
}

static int do_nothing(struct profile *profile, void *arg)
{
	(void)profile, (void)arg;
	return 0;
}

/* Who adds up takes a sum of others the next time, in which it is not. */
static void test_taken_go_stands_for_nobody_where_sums_are_added_up(void **state)
{
	static const struct taken_work work = {.finish = do_nothing, .adds_up = true};
	struct taken_list list = {0};
	struct profile *profile;
	u64 all[MEASURE_MAX];

	(void)state;
	draft_program(&list, 7, 1, 100, NULL, true);
	add_go(&list, 7, 1000, 1);
	assert_int_equal(taken_list_profile(&list, &work, &profile), 0);
	assert_true(list.go_left_out);
	profile_totals(profile, all);
	assert_int_equal(all[ALLOC_SPACE], 100);
	profile_free(profile);
	taken_list_release(&list);
	taken_scene_end();
}

/* The rows after it remain drafts, which the list still frees. */
static void test_taken_work_that_fails_ends_it_all(void **state)
{
	struct seen seen = {.fails_at = 2};
	struct taken_list list = {0};
	struct profile *profile = NULL;

	(void)state;
	draft(&list, 7, 100);
	draft(&list, 8, 50);
	draft(&list, 9, 7);
	assert_int_equal(taken_list_profile(&list, &(struct taken_work){.finish = see, .arg = &seen}, &profile),
			 -ENOMEM);
	assert_null(profile);
	assert_int_equal(seen.profiles, 2);
	assert_null(list.rows[1].draft);
	assert_non_null(list.rows[2].draft);
	taken_list_release(&list);
	assert_int_equal(list.count, 0);
	taken_scene_end();
}

static void test_taken_work_that_fails_on_the_only_one(void **state)
{
	struct seen seen = {.fails_at = 1};
	struct taken_list list = {0};
	struct profile *profile = NULL;

	(void)state;
	draft(&list, 7, 100);
	add_go(&list, 7, 1000000, 2);
	assert_int_equal(taken_list_profile(&list, &(struct taken_work){.finish = see, .arg = &seen}, &profile),
			 -ENOMEM);
	assert_null(profile);
	taken_list_release(&list);
	taken_scene_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_drafts_of_several_are_added_up),
		cmocka_unit_test(test_taken_draft_of_one_is_that_process),
		cmocka_unit_test(test_taken_drafts_beside_go_are_added_up),
		cmocka_unit_test(test_taken_draft_that_does_not_go_with_go_is_not_given),
		cmocka_unit_test(test_taken_go_beside_a_draft_of_alloc_only_stands_for_its_process),
		cmocka_unit_test(test_taken_go_stands_for_nobody_where_sums_are_added_up),
		cmocka_unit_test(test_taken_work_that_fails_ends_it_all),
		cmocka_unit_test(test_taken_work_that_fails_on_the_only_one),
	};

	return cmocka_run_group_tests_name("taken_drafts", tests, NULL, NULL);
}
