/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recorded.c: a Go program that also has memory from malloc is one process with two profiles; others have one. */
#include "unit/live/recorded_scene.h"

#include "format/index_read.h"
#include "view/population.h"

#define MANY 300 /* the listing lies behind the merged rows in memory */

static struct profile go_of(struct profile profile, u64 sample_bytes)
{
	profile.go = (struct profile_go){.version = "go1.19.8", .cycle = 3, .beside = true};
	profile.sample_bytes = sample_bytes;
	return profile;
}

/* Both as they were once before. */
static void keep_moment(void)
{
	run("cd %s && mkdir -p snapshots/0001 && cp 7.first.pb.gz 7.first.go.pb.gz snapshots/0001 && "
	    "sed -i 's#\"7.first\\(.go\\|\\).pb.gz\"#&,\"snapshots/0001/7.first\\1.pb.gz\"#' index.json",
	    scratch_path);
}

/* It is one process wherever it is counted, and what it kept itself says at which interval. */
static void test_recorded_go_profile_beside_another_is_no_process_more(void **state)
{
	struct profile first = one(7, "first"), go = go_of(first, 1 << 20);
	struct index_table table = {0};
	struct population population;
	cJSON *index;

	(void)state;
	first.exited = go.exited = true;
	record((const struct profile *const[]){&first, &go}, 2, true);
	index = index_read(scratch_path);
	assert_int_equal(index_table_read(index, &table), 0);
	assert_int_equal(table.count, 2);
	assert_false(table.entries[0].facts->go.beside);
	assert_int_equal(table.entries[0].facts->sample_bytes, first.sample_bytes);
	assert_true(table.entries[1].facts->go.beside);
	assert_int_equal(table.entries[1].facts->sample_bytes, 1 << 20);
	population_sum(table.entries, table.count, &population);
	assert_int_equal(population.facts.processes, 1);
	assert_int_equal(population.facts.ended.processes, 1);
	index_table_release(&table);
	cJSON_Delete(index);
}

/* As while it runs: one row, and one profile of both. */
static void test_recorded_go_profile_is_added_to_the_other(void **state)
{
	struct profile first = one(7, "first"), go = go_of(first, first.sample_bytes), last = one(9, "last");
	const struct profile *const all[] = {&first, &go, &last};
	struct source_listing listing;
	u64 totals[MEASURE_MAX];

	(void)state;
	record(all, 3, true);
	keep_moment();
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_int_equal(source_list(source, false, &listing), 0);
	assert_int_equal(listing.processes.count, 2);
	profile_totals(&first, totals);
	for (unsigned int m = 0; m < MEASURE_MAX; m++)
		assert_int_equal(listing.processes.entries[0].total[m], 2 * totals[m]);
	assert_int_equal(listing.processes.entries[1].facts->pid, 9);
	source_listing_release(&listing);
	assert_totals(&(struct source_want){.pid = 7, .image = 1}, all, 2);
	assert_totals(&(struct source_want){.pid = 9}, all + 2, 1);
	assert_totals(&(struct source_want){0}, all, 3);
	assert_int_equal(source_moment_count(source, &(struct source_want){.pid = 7}), 1);
	assert_moment(&(struct source_want){.pid = 7}, all, 2);
	source_close(source);
}

/* What cannot be added up is in no sum; alone, it is what most of the memory is of. */
static void test_recorded_go_profile_of_another_interval_stands_for_its_process(void **state)
{
	struct profile first = one(7, "first"), go = go_of(first, 1 << 20), last = one(9, "last"), *profile;
	const struct profile *const all[] = {&go, &first, &last};

	(void)state;
	record((const struct profile *const[]){&first, &go, &last}, 3, true);
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_totals(&(struct source_want){.pid = 7}, all, 1);
	assert_totals(&(struct source_want){0}, all + 1, 2);
	source_close(source);
	record((const struct profile *const[]){&first, &go}, 2, true);
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_totals(&(struct source_want){0}, all, 1);
	assert_int_equal(source_profile(source, &(struct source_want){.regions = true}, &profile), -ENOENT);
	source_close(source);
}

/* Only one of the two knows what is in use. */
static void test_recorded_go_profile_beside_one_of_alloc_only_stands_for_its_process(void **state)
{
	struct profile first = golden_alloc_only(), last = golden_alloc_only(), go;
	const struct profile *const all[] = {&go, &first, &last};

	(void)state;
	first.pid = 7;
	last.pid = 9;
	first.comm = last.comm = (char *)"first";
	go = go_of(one(7, "first"), first.sample_bytes);
	record((const struct profile *const[]){&first, &go, &last}, 3, true);
	keep_moment();
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_totals(&(struct source_want){.pid = 7}, all, 1);
	assert_totals(&(struct source_want){0}, all + 1, 2);
	assert_int_equal(source_moment_count(source, &(struct source_want){.pid = 7}), 1);
	assert_moment(&(struct source_want){.pid = 7}, all, 1);
	source_close(source);
}

/* The index of so many processes, of which none has files, with a profile of all that has an earlier one. */
static void record_many(void)
{
	static char *none[] = {NULL}, *files[] = {(char *)"merged/all.pb.gz", (char *)"snapshots/0001/all.pb.gz", NULL};
	struct profile profiles[MANY], all = one(0, "all");
	struct index_entry entries[MANY], merged = index_entry_of(&all, files);
	struct recording recording = {.version = "1",
				      .sample_bytes = all.sample_bytes,
				      .attach = "multi",
				      .merged = &merged,
				      .merged_count = 1};
	int dir;

	run("rm -rf %s/*", scratch_path);
	dir = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	for (u32 i = 0; i < MANY; i++) {
		profiles[i] = one(1 + i, "many");
		entries[i] = index_entry_of(&profiles[i], none);
	}
	assert_int_equal(index_write_file(dir, &recording, entries, MANY), 0);
	close(dir);
}

/* A row of merged profiles stands beside no process: none of the processes is looked for behind it. */
static void test_recorded_merged_profile_has_no_second(void **state)
{
	struct profile *profile;

	(void)state;
	record_many();
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_int_equal(source_moment_count(source, &(struct source_want){0}), 1);
	assert_int_equal(source_moment(source, &(struct source_want){0}, 0, &profile), -ENOENT);
	source_close(source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_go_profile_beside_another_is_no_process_more),
		cmocka_unit_test(test_recorded_go_profile_is_added_to_the_other),
		cmocka_unit_test(test_recorded_go_profile_of_another_interval_stands_for_its_process),
		cmocka_unit_test(test_recorded_go_profile_beside_one_of_alloc_only_stands_for_its_process),
		cmocka_unit_test(test_recorded_merged_profile_has_no_second),
	};

	return cmocka_run_group_tests_name("recorded_pairs", tests, scratch_setup, scratch_teardown);
}
