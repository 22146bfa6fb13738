/* SPDX-License-Identifier: GPL-2.0-or-later */
/* taken.c: from the snapshots of an answer to one profile, or to a list. */
#include "unit/live/taken_scene.h"

#include <fcntl.h>
#include <unistd.h>

#include "profile/subtract.h"

/* Complete: its image goes at once. */
static void add_program(struct taken_list *list, u32 pid, u32 ordinal, u64 size, const struct root_fs *root)
{
	draft_program(list, pid, ordinal, size, root, false);
	assert_int_equal(taken_list_complete(list), 0);
	taken_scene_end();
}

static void add(struct taken_list *list, u32 pid, u64 size, const struct root_fs *root)
{
	add_program(list, pid, 1, size, root);
}

/* A snapshot of a process that has mapped `pages`, if any. */
static void add_mapper(struct taken_list *list, u32 pid, u64 pages)
{
	const struct recorder_options options = {.sample_bytes = 1};
	const struct event_region event = {.call = REGION_MMAP, .addr = 0x7f0000000000, .size = pages * REGION_PAGE};
	struct image *image = scene_image(pid, 1, "mapper");
	struct snapshot_draft *taken;

	assert_int_equal(regions_apply(&image->regions, &event, 0, &image->heap.share), 0);
	assert_int_equal(snapshot_draft_make(&options, image, 2000, 99, SNAPSHOT_STACKS | SNAPSHOT_REGIONS, &taken), 0);
	assert_int_equal(taken_list_add(list, taken), 0);
	assert_int_equal(taken_list_complete(list), 0);
	taken_scene_end();
}

static void test_taken_mappings_are_merged_without_those_that_have_none(void **state)
{
	struct taken_list list = {0};
	struct profile *profile;
	u64 totals[MEASURE_MAX];

	(void)state;
	add_mapper(&list, 7, 3);
	add_mapper(&list, 8, 0);
	add_mapper(&list, 9, 4);
	taken_list_keep_regions(&list);
	assert_int_equal(list.count, 2);
	assert_int_equal(taken_list_profile(&list, NULL, &profile), 0);
	taken_list_release(&list);
	assert_int_equal(profile->kind, PROFILE_REGIONS);
	assert_int_equal(profile->label_count, 2);
	profile_totals(profile, totals);
	assert_int_equal(totals[INUSE_SPACE], 7 * REGION_PAGE);
	profile_free(profile);
}

static void test_taken_nothing_is_no_profile(void **state)
{
	struct taken_list list = {0};
	struct profile *profile;

	(void)state;
	assert_int_equal(taken_list_profile(&list, NULL, &profile), -ENOENT);
	taken_list_release(&list);
}

static void test_taken_one_is_that_process(void **state)
{
	struct taken_list list = {0};
	struct profile *profile;

	(void)state;
	add(&list, 7, 100, NULL);
	assert_int_equal(taken_list_profile(&list, NULL, &profile), 0);
	taken_list_release(&list);
	assert_int_equal(profile->pid, 7);
	assert_int_equal(profile->label_count, 0);
	profile_free(profile);
}

static void test_taken_several_are_merged_and_labelled(void **state)
{
	u64 all[MEASURE_MAX];
	struct taken_list list = {0};
	struct profile *profile;

	(void)state;
	add(&list, 7, 100, NULL);
	add(&list, 8, 50, NULL);
	assert_int_equal(taken_list_profile(&list, NULL, &profile), 0);
	taken_list_release(&list);
	profile_totals(profile, all);
	assert_int_equal(all[ALLOC_OBJECTS], 2);
	assert_int_equal(all[INUSE_SPACE], 150);
	assert_int_equal(profile->processes, 2);
	assert_int_equal(profile->label_count, 2);
	profile_free(profile);
}

/* A Go program with C is one process: in a list, and in the profile of all. */
static void test_taken_what_go_says_of_a_process_belongs_to_what_it_has_from_malloc(void **state)
{
	struct taken_list list = {0};
	struct index_table table = {0};

	(void)state;
	add(&list, 7, 100, NULL);
	add_go(&list, 7, 50, 1);
	add(&list, 8, 1000, NULL);
	assert_int_equal(taken_list_index(&list, &table), 0);
	taken_list_release(&list);
	assert_int_equal(table.count, 2);
	assert_int_equal(table.entries[0].total[INUSE_SPACE], 150);
	assert_int_equal(table.entries[0].samples, 2);
	assert_int_equal(table.entries[1].facts->pid, 8);
	assert_int_equal(table.entries[1].total[INUSE_SPACE], 1000);
	index_table_release(&table);
	add(&list, 7, 100, NULL);
	add_go(&list, 7, 50, 1);
	assert_profile(&list, 2, 150);
}

/* Counts of different weights cannot be added up. */
static void test_taken_what_go_samples_at_another_interval_is_in_no_sum(void **state)
{
	struct taken_list list = {0};

	(void)state;
	add(&list, 7, 100, NULL);
	add_go(&list, 7, 1000000, 2);
	assert_profile(&list, 1, 1000000);
	add(&list, 7, 100, NULL);
	add_go(&list, 7, 1000000, 2);
	add(&list, 8, 10, NULL);
	assert_profile(&list, 2, 110);
	add_go(&list, 6, 1000000, 2);
	add(&list, 7, 100, NULL);
	add(&list, 8, 10, NULL);
	assert_profile(&list, 2, 110);
}

static void test_taken_ended_ones_have_nothing_in_use_once_that_is_forgotten(void **state)
{
	u64 all[MEASURE_MAX];
	struct taken_list list = {0};
	struct profile *profile;

	(void)state;
	add(&list, 7, 100, NULL);
	add(&list, 8, 50, NULL);
	list.rows[0].profile->exited = true;
	taken_forget_ended(list.rows[0].profile);
	taken_forget_ended(list.rows[1].profile);
	assert_int_equal(taken_list_profile(&list, NULL, &profile), 0);
	taken_list_release(&list);
	profile_totals(profile, all);
	assert_int_equal(all[ALLOC_SPACE], 150);
	assert_int_equal(all[INUSE_SPACE], 50);
	profile_free(profile);
}

/* What is taken of the programs from `first` to `last` of a process, each of which does the same. */
static struct profile *profile_of_programs(u32 first, u32 last)
{
	struct taken_list list = {0};
	struct profile *profile;

	for (u32 ordinal = first; ordinal <= last; ordinal++)
		add_program(&list, 7, ordinal, 100, NULL);
	assert_int_equal(taken_list_profile(&list, NULL, &profile), 0);
	taken_list_release(&list);
	return profile;
}

static void assert_new(u32 first, u32 last, const struct profile *base, u64 objects)
{
	struct profile *later = profile_of_programs(first, last);
	u64 all[MEASURE_MAX];

	assert_int_equal(profile_subtract(later, base, false), 0);
	profile_totals(later, all);
	assert_int_equal(all[ALLOC_OBJECTS], objects);
	profile_free(later);
}

/* A process executes programs for ever, of which the oldest is dropped: what it had is not to be taken from the newest. */
static void test_taken_programs_of_one_process_are_told_apart_in_two_sums(void **state)
{
	struct profile *one = profile_of_programs(1, 1), *two = profile_of_programs(1, 2);

	(void)state;
	assert_new(1, 1, one, 0);
	assert_new(1, 2, one, 1);
	assert_new(1, 2, two, 0);
	assert_new(2, 3, two, 1);
	assert_new(3, 3, two, 1);
	profile_free(one);
	profile_free(two);
}

/* The image may be gone before its snapshot has names. */
static void test_taken_keeps_the_root_of_its_process_open(void **state)
{
	struct root_fs root = {.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
	struct taken_list list = {0};

	(void)state;
	add(&list, 7, 100, &root);
	assert_non_null(list.rows[0].profile->root);
	assert_true(faccessat(list.rows[0].profile->root->fd, "proc", F_OK, 0) == 0);
	taken_list_release(&list);
}

static void test_taken_list_has_a_line_for_each(void **state)
{
	struct taken_list list = {0};
	struct index_table table = {0};

	(void)state;
	add(&list, 7, 100, NULL);
	add(&list, 8, 50, NULL);
	assert_int_equal(taken_list_index(&list, &table), 0);
	taken_list_release(&list);
	assert_int_equal(table.count, 2);
	assert_int_equal(table.entries[0].facts->pid, 7);
	assert_int_equal(table.entries[1].facts->pid, 8);
	index_table_release(&table);
}

static int count_work(struct profile *profile, void *arg)
{
	u64 *bytes = arg;

	for (u32 i = 0; i < profile->sample_count; i++)
		*bytes += profile->samples[i].size;
	return 0;
}

/* Whose samples are in a profile is known with it; what they are is let go. */
static void test_taken_facts_of_each_process_stay_in_the_list(void **state)
{
	struct root_fs root = {.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
	struct taken_list list = {0};
	struct index_table table = {0};
	struct profile *profile;
	u64 worked = 0, all[MEASURE_MAX];

	(void)state;
	add(&list, 7, 100, &root);
	add_go(&list, 7, 50, 1);
	add(&list, 8, 1000, NULL);
	list.rows[2].profile->cgroup = strdup("/system.slice/nginx.service");
	assert_int_equal(
		taken_list_profile(&list, &(struct taken_work){.finish = count_work, .arg = &worked}, &profile), 0);
	profile_totals(profile, all);
	profile_free(profile);
	assert_int_equal(all[INUSE_SPACE], 1150);
	assert_int_equal(worked, 1150);
	for (u32 i = 0; i < list.count; i++)
		assert_null(list.rows[i].profile->samples);
	assert_int_equal(taken_list_index(&list, &table), 0);
	taken_list_release(&list);
	assert_int_equal(table.count, 2);
	assert_int_equal(table.entries[0].facts->pid, 7);
	assert_null(table.entries[0].facts->root);
	assert_int_equal(table.entries[1].facts->pid, 8);
	assert_string_equal(table.entries[1].facts->comm, "program");
	assert_string_equal(table.entries[1].facts->cgroup, "/system.slice/nginx.service");
	index_table_release(&table);
}

/* Its profile is the asker's; two that cannot be added up are one process. */
static void test_taken_facts_of_the_only_process_stay_too(void **state)
{
	struct taken_list list = {0};
	struct index_table table = {0};
	struct profile *profile;

	(void)state;
	add(&list, 7, 100, NULL);
	add_go(&list, 7, 1000000, 2);
	assert_int_equal(taken_list_profile(&list, NULL, &profile), 0);
	assert_int_equal(profile->sample_count, 1);
	assert_int_equal(taken_list_index(&list, &table), 0);
	taken_list_release(&list);
	assert_int_equal(table.count, 1);
	assert_int_equal(table.entries[0].facts->pid, 7);
	index_table_release(&table);
	profile_free(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_taken_mappings_are_merged_without_those_that_have_none),
		cmocka_unit_test(test_taken_nothing_is_no_profile),
		cmocka_unit_test(test_taken_one_is_that_process),
		cmocka_unit_test(test_taken_several_are_merged_and_labelled),
		cmocka_unit_test(test_taken_what_go_says_of_a_process_belongs_to_what_it_has_from_malloc),
		cmocka_unit_test(test_taken_what_go_samples_at_another_interval_is_in_no_sum),
		cmocka_unit_test(test_taken_ended_ones_have_nothing_in_use_once_that_is_forgotten),
		cmocka_unit_test(test_taken_programs_of_one_process_are_told_apart_in_two_sums),
		cmocka_unit_test(test_taken_keeps_the_root_of_its_process_open),
		cmocka_unit_test(test_taken_list_has_a_line_for_each),
		cmocka_unit_test(test_taken_facts_of_each_process_stay_in_the_list),
		cmocka_unit_test(test_taken_facts_of_the_only_process_stay_too),
	};

	return cmocka_run_group_tests_name("taken", tests, NULL, NULL);
}
