/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.c: what a profile copies from the tables, and that later changes do not affect it. */
#include "snapshot_scene.h"

#include <math.h>
#include <string.h>

#include "include/stackcut.h"

static void assert_location(const struct profile_sample *sample, u32 frame, u64 address, const char *path)
{
	const struct profile_location *location = &profile->locations[sample->location[frame]];

	assert_true(sample->location[frame] < profile->location_count);
	assert_int_equal(location->address, address);
	if (path)
		assert_string_equal(profile->mappings[location->mapping].path, path);
	else
		assert_int_equal(location->mapping, MAPPING_UNKNOWN);
}

static void test_snapshot_nothing_yet_is_an_empty_profile(void **state)
{
	(void)state;
	take(5000);
	assert_int_equal(profile->sample_count, 0);
	assert_int_equal(profile->location_count, 0);
	assert_int_equal(profile->mapping_count, 2);
	assert_int_equal(profile->duration_ns, 4000);
	assert_int_equal(profile->start_unix_ns, 99);
	assert_int_equal(profile->pid, 1234);
	assert_int_equal(profile->image, 2);
	assert_string_equal(profile->comm, "program");
	assert_null(profile->exe);
	assert_false(profile->exited);
}

static void test_snapshot_samples_name_calls_leaf_first(void **state)
{
	const struct profile_sample *sample;

	(void)state;
	add_stack(7, 1001, 2, (const u64[]){LIBRARY + 0x105, PROGRAM + 0x205});
	allocate(1, 100, 7);
	allocate(2, 100, 7);
	heap_free(&process->heap, 1);
	take(5000);
	sample = sample_of(100, 2);
	assert_int_equal(sample->alloc_count, 2);
	assert_int_equal(sample->inuse_count, 1);
	assert_location(sample, 0, LIBRARY + 0x104, "/lib/library");
	assert_location(sample, 1, PROGRAM + 0x204, "/bin/program");
}

static void test_snapshot_same_frame_in_many_stacks_is_one_location(void **state)
{
	(void)state;
	add_stack(7, 1001, 2, (const u64[]){LIBRARY + 5, PROGRAM + 5});
	add_stack(8, 1002, 2, (const u64[]){LIBRARY + 5, PROGRAM + 9});
	allocate(1, 100, 7);
	allocate(2, 200, 7);
	allocate(3, 100, 8);
	take(5000);
	assert_int_equal(profile->sample_count, 3);
	assert_int_equal(profile->location_count, 3);
}

/* The same address before and after something else was mapped there: two locations. */
static void test_snapshot_address_mapped_anew_is_another_location(void **state)
{
	(void)state;
	add_stack(7, 1001, 1, (const u64[]){PROGRAM + 5});
	add_mapping(PROGRAM, 2000, "/lib/newer");
	add_stack(8, 2001, 1, (const u64[]){PROGRAM + 5});
	allocate(1, 100, 7);
	allocate(2, 200, 8);
	take(5000);
	assert_int_equal(profile->location_count, 2);
	assert_location(sample_of(100, 1), 0, PROGRAM + 4, "/bin/program");
	assert_location(sample_of(200, 1), 0, PROGRAM + 4, "/lib/newer");
}

static void test_snapshot_unknown_stack_is_a_sample_without_frames(void **state)
{
	(void)state;
	allocate(1, 100, 0);
	allocate(2, 300, 12345);
	take(5000);
	assert_int_equal(sample_of(100, 0)->alloc_count, 1);
	assert_int_equal(sample_of(300, 0)->alloc_count, 1);
	assert_int_equal(profile->location_count, 0);
}

static void test_snapshot_stack_is_cut_where_it_leaves_known_code(void **state)
{
	const struct profile_sample *sample;

	(void)state;
	add_stack(7, 1001, 3, (const u64[]){LIBRARY + 5, 0xdeadbeef, PROGRAM + 5});
	allocate(1, 100, 7);
	allocate(2, 100, 7);
	take(5000);
	sample = sample_of(100, 1);
	assert_location(sample, 0, LIBRARY + 4, "/lib/library");
	assert_int_equal(profile->ledger[COUNTER_STACK_CUT], 2);
}

/* One location for all of them, where the frames were; not where the stack has ended before for another reason. */
static void test_snapshot_stack_that_was_too_deep_has_a_frame_that_says_so(void **state)
{
	const u64 deep[] = {PROGRAM + 0x101, PROGRAM + 0x201, STACK_LEFT_OUT, PROGRAM + 0x501},
		  other[] = {PROGRAM + 0x301, STACK_LEFT_OUT}, lost[] = {PROGRAM + 0x401, 0x77, STACK_LEFT_OUT};
	const struct profile_sample *sample;
	const struct profile_location *cut;

	(void)state;
	add_stack(1, 1000, 4, deep);
	add_stack(2, 1000, 2, other);
	add_stack(3, 1000, 3, lost);
	allocate(1, 8, 1);
	allocate(2, 16, 2);
	allocate(3, 32, 3);
	take(2000);
	sample = sample_of(8, 4);
	cut = &profile->locations[sample->location[2]];
	assert_int_equal(cut->line_count, 1);
	assert_string_equal(cut->lines[0].function, "[truncated]");
	assert_int_equal(cut->mapping, MAPPING_UNKNOWN);
	assert_int_equal(profile->locations[sample->location[1]].address, PROGRAM + 0x200);
	assert_int_equal(profile->locations[sample->location[3]].address, PROGRAM + 0x500);
	assert_int_equal(sample_of(16, 2)->location[1], sample->location[2]);
	sample_of(32, 1);
}

static void test_snapshot_leaf_is_kept_even_outside_known_code(void **state)
{
	(void)state;
	add_stack(7, 1001, 2, (const u64[]){0xdeadbeef, PROGRAM + 5});
	add_stack(8, 1001, 1, (const u64[]){0});
	allocate(1, 100, 7);
	allocate(2, 200, 8);
	take(5000);
	assert_location(sample_of(100, 1), 0, 0xdeadbeee, NULL);
	assert_location(sample_of(200, 1), 0, 0, NULL);
}

static void test_snapshot_stacks_equal_after_the_cut_become_one_sample(void **state)
{
	(void)state;
	add_stack(7, 1001, 2, (const u64[]){LIBRARY + 5, 0xdead0001});
	add_stack(8, 1001, 2, (const u64[]){LIBRARY + 5, 0xdead0002});
	add_stack(9, 1001, 2, (const u64[]){LIBRARY + 9, 0xdead0002});
	allocate(1, 100, 7);
	allocate(2, 100, 8);
	allocate(3, 200, 8);
	allocate(4, 300, 9);
	heap_free(&process->heap, 1);
	take(5000);
	assert_int_equal(profile->sample_count, 3);
	assert_int_equal(sample_of(100, 1)->alloc_count, 2);
	assert_int_equal(sample_of(100, 1)->inuse_count, 1);
	assert_int_equal(sample_of(200, 1)->alloc_count, 1);
	assert_location(sample_of(300, 1), 0, LIBRARY + 8, "/lib/library");
}

static void test_snapshot_mappings_are_copied_whole(void **state)
{
	const struct profile_mapping *mapping;

	(void)state;
	take(5000);
	mapping = &profile->mappings[1];
	assert_int_equal(mapping->start, LIBRARY);
	assert_int_equal(mapping->end, LIBRARY + 0x10000);
	assert_int_equal(mapping->file_offset, 0x1000);
	assert_int_equal(mapping->device, 5);
	assert_int_equal(mapping->inode, 77);
	assert_int_equal(mapping->build_id_size, 3);
	assert_memory_equal(mapping->build_id, ((u8[]){1, 2, 3}), 3);
	assert_string_equal(mapping->path, "/lib/library");
}

static void test_snapshot_is_its_own_when_the_process_goes_on(void **state)
{
	(void)state;
	process->exe = strdup("/bin/program");
	process->cgroup = strdup("/system.slice");
	add_stack(7, 1001, 1, (const u64[]){PROGRAM + 5});
	allocate(1, 100, 7);
	take(5000);
	allocate(2, 100, 7);
	heap_free(&process->heap, 1);
	image_set_comm(process, "other");
	free(process->exe);
	process->exe = NULL;
	assert_int_equal(sample_of(100, 1)->alloc_count, 1);
	assert_int_equal(sample_of(100, 1)->inuse_count, 1);
	assert_string_equal(profile->comm, "program");
	assert_string_equal(profile->exe, "/bin/program");
	assert_string_equal(profile->cgroup, "/system.slice");
	take(6000);
	assert_int_equal(sample_of(100, 1)->alloc_count, 2);
}

static void test_snapshot_ended_image_lasts_until_its_end(void **state)
{
	(void)state;
	allocate(1, 100, 0);
	process->ledger[COUNTER_SAMPLED] = 1;
	process->end_ns = 3000;
	process->ended = true;
	take(9000);
	assert_int_equal(profile->duration_ns, 2000);
	assert_true(profile->exited);
	assert_int_equal(profile->ledger[COUNTER_ENDED], 1);
	assert_int_equal(profile->ledger[COUNTER_LIVE], 0);
	assert_int_equal(profile->ledger[COUNTER_SAMPLED], 1);
}

static void test_snapshot_of_a_moment_before_the_image_began_lasts_no_time(void **state)
{
	(void)state;
	allocate(1, 10, 0);
	take(900);
	assert_int_equal(profile->duration_ns, 0);
}

static void test_snapshot_peak_and_its_time_since_the_start(void **state)
{
	(void)state;
	allocate(1, 100, 0);
	allocate(2, 200, 0);
	heap_free(&process->heap, 1);
	take(9000);
	assert_int_equal(profile->peak_inuse_space, 300);
	assert_int_equal(profile->peak_at_ns, 2);
}

/* A function that is no allocator of bytes may be traced by --alloc: its arguments may be anything. */
static void test_snapshot_of_sizes_beyond_all_memory_saturates(void **state)
{
	(void)state;
	assert_int_equal(heap_alloc(&process->heap, 1, 0x100, UINT64_MAX, 0, true, 1500), 0);
	assert_int_equal(heap_alloc(&process->heap, 2, 0x200, UINT64_MAX, 0, true, 1600), 0);
	image_see_rss(process, 4096);
	assert_true(process->rss_peak_inuse == INT64_MAX);
	take(2000);
	assert_true(profile->peak_inuse_space == INT64_MAX);
}

static void test_snapshot_cost_is_hits_by_their_price_over_cpu_time(void **state)
{
	(void)state;
	process->ledger[COUNTER_HITS_ALLOC] = 3;
	process->ledger[COUNTER_HITS_FREE] = 1;
	process->cpu_start_ns = 10000;
	process->cpu_end_ns = 45000;
	take(9000);
	assert_int_equal(profile->cpu_ns, 35000);
	assert_true(fabs(profile->hit_cost_ns - 875) < 1e-9);
	assert_true(fabs(profile->slowdown_percent - 10) < 1e-9);
}

static void test_snapshot_without_hits_or_cpu_time_costs_nothing(void **state)
{
	(void)state;
	process->ledger[COUNTER_HITS_ALLOC] = 3;
	process->cpu_start_ns = process->cpu_end_ns = 10000;
	take(9000);
	assert_int_equal(profile->cpu_ns, 0);
	assert_true(profile->slowdown_percent == 0);
	process->ledger[COUNTER_HITS_ALLOC] = 0;
	take(9000);
	assert_true(profile->hit_cost_ns == 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What a list of processes needs, without the work that a stack takes. */
static void test_snapshot_sums_are_those_of_the_whole(void **state)
{
	const struct recorder_options options = {.sample_bytes = 4096};
	u64 whole[MEASURE_MAX], sums[MEASURE_MAX];
	struct snapshot_draft *draft;
	struct profile *brief;

	(void)state;
	add_stack(7, 1001, 2, (const u64[]){LIBRARY + 0x105, PROGRAM + 0x205});
	add_stack(8, 1002, 2, (const u64[]){LIBRARY + 0x105, PROGRAM + 0x305});
	allocate(1, 100, 7);
	allocate(2, 100, 8);
	allocate(3, 5000, 8);
	heap_free(&process->heap, 2);
	assert_int_equal(snapshot_take(&options, process, 5000, 99, &profile), 0);
	assert_int_equal(snapshot_draft_make(&options, process, 5000, 99, SNAPSHOT_LIFETIMES, &draft), 0);
	assert_int_equal(snapshot_draft_finish(draft, &brief), 0);
	profile_totals(profile, whole);
	profile_totals(brief, sums);
	assert_memory_equal(sums, whole, sizeof(whole));
	assert_true(whole[ALLOC_OBJECTS] > whole[INUSE_OBJECTS]);
	assert_int_equal(brief->location_count, 0);
	assert_int_equal(brief->pid, 1234);
	assert_true(brief->model.known);
	for (u32 i = 0; i < brief->sample_count; i++)
		assert_int_equal(brief->samples[i].depth, 0);
	profile_free(brief);
}

/* The thread that finishes a draft is another one than that which goes on recording. */
static void test_snapshot_draft_is_of_its_moment(void **state)
{
	const struct recorder_options options = {.sample_bytes = 1};
	struct snapshot_draft *draft;

	(void)state;
	add_stack(7, 1001, 2, (const u64[]){LIBRARY + 0x105, PROGRAM + 0x205});
	allocate(1, 100, 7);
	assert_int_equal(snapshot_draft_make(&options, process, 5000, 99, SNAPSHOT_STACKS | SNAPSHOT_LIFETIMES, &draft),
			 0);
	assert_string_equal(snapshot_draft_facts(draft)->comm, "program");
	allocate(2, 100, 7);
	add_stack(8, 5001, 1, (const u64[]){PROGRAM + 0x305});
	allocate(3, 200, 8);
	for (u64 i = 0; i < 100; i++)
		add_mapping(LIBRARY + ((i + 1) << 24), 6000, "/lib/other");
	assert_int_equal(snapshot_draft_finish(draft, &profile), 0);
	assert_int_equal(profile->sample_count, 1);
	assert_int_equal(profile->mapping_count, 2);
	assert_int_equal(sample_of(100, 2)->alloc_count, 1);
	assert_location(sample_of(100, 2), 1, PROGRAM + 0x204, "/bin/program");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_snapshot_nothing_yet_is_an_empty_profile),
		TEST(test_snapshot_samples_name_calls_leaf_first),
		TEST(test_snapshot_same_frame_in_many_stacks_is_one_location),
		TEST(test_snapshot_address_mapped_anew_is_another_location),
		TEST(test_snapshot_unknown_stack_is_a_sample_without_frames),
		TEST(test_snapshot_stack_is_cut_where_it_leaves_known_code),
		TEST(test_snapshot_stack_that_was_too_deep_has_a_frame_that_says_so),
		TEST(test_snapshot_leaf_is_kept_even_outside_known_code),
		TEST(test_snapshot_stacks_equal_after_the_cut_become_one_sample),
		TEST(test_snapshot_mappings_are_copied_whole),
		TEST(test_snapshot_is_its_own_when_the_process_goes_on),
		TEST(test_snapshot_ended_image_lasts_until_its_end),
		TEST(test_snapshot_of_a_moment_before_the_image_began_lasts_no_time),
		TEST(test_snapshot_peak_and_its_time_since_the_start),
		TEST(test_snapshot_of_sizes_beyond_all_memory_saturates),
		TEST(test_snapshot_cost_is_hits_by_their_price_over_cpu_time),
		TEST(test_snapshot_without_hits_or_cpu_time_costs_nothing),
		TEST(test_snapshot_draft_is_of_its_moment),
		TEST(test_snapshot_sums_are_those_of_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
