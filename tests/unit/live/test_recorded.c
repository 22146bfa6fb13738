/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recorded.c: what a directory, and a single file, give as a source; the index is believed only about its own files. */
#include "unit/live/recorded_scene.h"
#include "unit/profile/mapped_profile.h"

#include <math.h>

#include "format/pprof_write.h"
#include "profile/profile_copy.h"

static void assert_two_processes(void)
{
	struct profile first = one(7, "first"), second = one(800, "second"), *profile;
	const struct profile *const both[] = {&first, &second};
	struct source_listing listing;

	assert_int_equal(source_list(source, false, &listing), 0);
	assert_int_equal(listing.processes.count, 2);
	assert_true(listing.ended);
	source_listing_release(&listing);
	assert_totals(&(struct source_want){.pid = 7}, both, 1);
	assert_totals(&(struct source_want){.pid = 800, .image = 1}, both + 1, 1);
	assert_totals(&(struct source_want){0}, both, 2);
	assert_int_equal(source_profile(source, &(struct source_want){.pid = 8}, &profile), -ENOENT);
	assert_int_equal(source_profile(source, &(struct source_want){.pid = 7, .image = 2}, &profile), -ENOENT);
	assert_int_equal(source_profile(source, &(struct source_want){.container = "web"}, &profile), -ENOENT);
	source_close(source);
}

/* What an index says again is what a process had: growth with its error, and in use that was not recorded is not 0. */
static void test_recorded_listing_is_what_the_profiles_were(void **state)
{
	struct profile living = golden_living(), alone = golden_alloc_only();
	struct index_entry before[2];
	struct source_listing listing;

	(void)state;
	living.pid = 7;
	alone.pid = 800;
	before[0] = index_entry_of(&living, NULL);
	before[1] = index_entry_of(&alone, NULL);
	assert_int_equal(before[0].lifespan.verdict, VERDICT_GROWING);
	assert_true(before[0].lifespan.growth_error > 0);
	record((const struct profile *const[]){&living, &alone}, 2, true);
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_int_equal(source_list(source, false, &listing), 0);
	for (u32 i = 0; i < 2; i++) {
		const struct index_entry *after = &listing.processes.entries[i];

		assert_int_equal(after->facts->pid, before[i].facts->pid);
		assert_memory_equal(after->total, before[i].total, sizeof(after->total));
		assert_int_equal(after->facts->alloc_only, i == 1);
	}
	/* Six digits of them are written. */
	assert_true(fabs(listing.processes.entries[0].lifespan.growth_error / before[0].lifespan.growth_error - 1) <
		    1e-5);
	source_listing_release(&listing);
	source_close(source);
}

static void test_recorded_directory_with_index(void **state)
{
	(void)state;
	record_two(true);
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_two_processes();
}

static void test_recorded_directory_without_index(void **state)
{
	(void)state;
	record_two(false);
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_two_processes();
}

static void test_recorded_several_are_labelled(void **state)
{
	struct profile *profile;

	(void)state;
	record_two(true);
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_int_equal(source_profile(source, &(struct source_want){0}, &profile), 0);
	assert_int_equal(profile->label_count, 2);
	assert_int_equal(profile->processes, 2);
	assert_int_equal(profile->labels[0].pid + profile->labels[1].pid, 807);
	profile_free(profile);
	source_close(source);
}

/* One process alone keeps what only a profile of one process has. */
static void test_recorded_file_is_its_process(void **state)
{
	struct profile living = golden_living(), *profile;
	const struct profile *const profiles[] = {&living};
	char path[PATH_MAX + 32];

	(void)state;
	record(profiles, 1, true);
	snprintf(path, sizeof(path), "%s/%u.%s.pb.gz", scratch_path, living.pid, living.comm);
	assert_int_equal(opened(path), STATUS_DONE);
	assert_int_equal(source_profile(source, &(struct source_want){0}, &profile), 0);
	assert_int_equal(profile->label_count, 0);
	assert_true(profile->model.known);
	assert_int_equal(profile->pid, living.pid);
	profile_free(profile);
	assert_totals(&(struct source_want){.pid = living.pid}, profiles, 1);
	source_close(source);
}

static void test_recorded_container_by_name_and_by_id(void **state)
{
	struct profile first = one(7, "first"), second = one(800, "second"), third = one(9, "third"), *profile;
	const struct profile *const all[] = {&first, &second, &third};

	(void)state;
	first.container = third.container = (char *)"0123456789abcdef0123";
	first.container_name = third.container_name = (char *)"web";
	record((const struct profile *const[]){&first, &second, &third}, 3, true);
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_totals(&(struct source_want){.container = "web"}, all, 2);
	assert_totals(&(struct source_want){.container = "0123456789abcdef0123"}, all, 2);
	assert_totals(&(struct source_want){.container = "0123456789ab"}, all, 2);
	assert_int_equal(source_profile(source, &(struct source_want){.container = "0123"}, &profile), -ENOENT);
	source_close(source);
}

/* In place of the heap, by process and of all; who has none is not there, and nobody takes them for an earlier heap. */
static void test_recorded_mappings_are_those_of_the_wanted(void **state)
{
	struct profile first = one(7, "first"), second = one(800, "second"), third = one(9, "third"), *profile;
	struct profile mapped[] = {mapped_profile(), mapped_profile()};
	const struct profile *const all[] = {&mapped[0], &mapped[1]};

	(void)state;
	first.regions = &mapped[0];
	second.regions = &mapped[1];
	mapped[0].pid = 7;
	mapped[0].comm = first.comm;
	mapped[1].pid = 800;
	mapped[1].comm = second.comm;
	record((const struct profile *const[]){&first, &second, &third}, 3, true);
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_totals(&(struct source_want){.pid = 7, .regions = true}, all, 1);
	assert_totals(&(struct source_want){.regions = true}, all, 2);
	assert_int_equal(source_profile(source, &(struct source_want){.regions = true}, &profile), 0);
	assert_int_equal(profile->kind, PROFILE_REGIONS);
	assert_int_equal(profile->label_count, 2);
	profile_free(profile);
	assert_int_equal(source_profile(source, &(struct source_want){.pid = 9, .regions = true}, &profile), -ENOENT);
	source_close(source);
	record((const struct profile *const[]){&first, &third}, 2, true);
	run("cd %s && mkdir -p snapshots/0001/mappings && cp mappings/* snapshots/0001/mappings && "
	    "sed -i 's#\"7.first.pb.gz\"#&,\"snapshots/0001/mappings/7.first.pb.gz\"#' index.json",
	    scratch_path);
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_int_equal(source_moment_count(source, &(struct source_want){.pid = 7}), 0);
	source_close(source);
}

static void test_recorded_without_mappings_has_no_profile_of_them(void **state)
{
	struct profile *profile;

	(void)state;
	record_two(true);
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_int_equal(source_profile(source, &(struct source_want){.regions = true}, &profile), -ENOENT);
	source_close(source);
}

/* A recording that was copied from elsewhere does not show other files of this machine. */
static void test_recorded_index_cannot_name_files_elsewhere(void **state)
{
	struct profile *profile;
	char path[PATH_MAX + 32];

	(void)state;
	record_two(true);
	run("cd %s && mkdir inner && sed 's#\"7.first.pb.gz\"#\"../7.first.pb.gz\"#' index.json > inner/index.json",
	    scratch_path);
	snprintf(path, sizeof(path), "%s/inner", scratch_path);
	assert_int_equal(opened(path), STATUS_DONE);
	assert_int_equal(source_profile(source, &(struct source_want){.pid = 7}, &profile), -ENOENT);
	source_close(source);
}

/* Earlier profiles are those of snapshots/ that the index lists, and none outside it. */
static void test_recorded_earlier_profiles_are_the_recordings_own(void **state)
{
	struct profile first = one(7, "first");
	const struct profile *const only = &first;
	const struct source_want want = {.pid = 7}, all = {0};
	struct profile *profile;

	(void)state;
	record(&only, 1, true);
	run("cd %s && mkdir -p snapshots/0001 && cp 7.first.pb.gz snapshots/0001 && "
	    "sed -i 's#\"7.first.pb.gz\"#&,\"snapshots/0001/7.first.pb.gz\",\"snapshots/../7.first.pb.gz\",\"/7.pb.gz\"#' index.json",
	    scratch_path);
	assert_int_equal(opened(scratch_path), STATUS_DONE);
	assert_int_equal(source_moment_count(source, &want), 1);
	assert_int_equal(source_moment_count(source, &all), 1);
	assert_int_equal(source_moment_count(source, &(struct source_want){.pid = 8}), 0);
	assert_int_equal(source_moment(source, &want, 0, &profile), 0);
	assert_int_equal(profile->sample_count, first.sample_count);
	profile_free(profile);
	assert_int_equal(source_moment(source, &want, 1, &profile), -ENOENT);
	source_close(source);
}

static void test_recorded_says_what_is_missing(void **state)
{
	(void)state;
	run("rm -rf %s/*", scratch_path);
	assert_int_equal(opened(scratch_path), STATUS_NO_TARGET);
	assert_contains(errors.text, "no file there ends in .pb.gz");
	assert_int_equal(opened("/nowhere/at/all"), STATUS_NO_TARGET);
	assert_contains(errors.text, "no such file or directory: '/nowhere/at/all'");
}

static char *written(const struct profile *profile, size_t *ret_size)
{
	char *bytes;
	FILE *out = open_memstream(&bytes, ret_size);

	assert_int_equal(pprof_write(profile, out), 0);
	fclose(out);
	return bytes;
}

static void test_copy_is_written_to_the_same_bytes(void **state)
{
	struct profile living = golden_living(), *copy = profile_copy(&living);
	size_t size, copy_size;
	char *bytes = written(&living, &size), *copied;

	(void)state;
	assert_non_null(copy);
	copied = written(copy, &copy_size);
	assert_int_equal(copy_size, size);
	assert_memory_equal(copied, bytes, size);
	free(copied);
	free(bytes);
	profile_free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recorded_listing_is_what_the_profiles_were),
		cmocka_unit_test(test_recorded_directory_with_index),
		cmocka_unit_test(test_recorded_directory_without_index),
		cmocka_unit_test(test_recorded_several_are_labelled),
		cmocka_unit_test(test_recorded_file_is_its_process),
		cmocka_unit_test(test_recorded_container_by_name_and_by_id),
		cmocka_unit_test(test_recorded_mappings_are_those_of_the_wanted),
		cmocka_unit_test(test_recorded_without_mappings_has_no_profile_of_them),
		cmocka_unit_test(test_recorded_index_cannot_name_files_elsewhere),
		cmocka_unit_test(test_recorded_earlier_profiles_are_the_recordings_own),
		cmocka_unit_test(test_recorded_says_what_is_missing),
		cmocka_unit_test(test_copy_is_written_to_the_same_bytes),
	};

	return cmocka_run_group_tests_name("recorded", tests, scratch_setup, scratch_teardown);
}
