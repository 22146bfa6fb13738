/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.c: what a profile takes over from the tables, and that it is its own afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/mapping.h"
#include "../../user/snapshot.h"

#define PROGRAM 0x400000
#define LIBRARY 0x7f0000000000

static struct process *process;
static struct profile *profile;

static void add_mapping(u64 start, u64 from_ns, const char *path)
{
	struct mapping mapping = {
		.start = start,
		.end = start + 0x10000,
		.file_offset = 0x1000,
		.from_ns = from_ns,
		.device = 5,
		.inode = 77,
		.path = (char *)path,
		.build_id = {1, 2, 3},
		.build_id_size = 3,
	};

	assert_int_equal(mapping_table_add(process->mappings, &mapping), 0);
}

static int setup(void **state)
{
	(void)state;
	process = process_new(9, 1234, 2, 1, 1000);
	if (!process)
		return -1;
	add_mapping(PROGRAM, 0, "/bin/program");
	add_mapping(LIBRARY, 0, "/lib/library");
	process_set_comm(process, "program");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	profile_free(profile);
	profile = NULL;
	process_free(process);
	return 0;
}

static void add_stack(u64 hash, u64 time_ns, u32 depth, const u64 *ip)
{
	assert_int_equal(stack_table_add(&process->stacks, hash, time_ns, ip, depth, false), 0);
}

static void allocate(u64 id, u64 size, u64 stack)
{
	assert_int_equal(heap_alloc(&process->heap, id, 16 * id, size, stack, true, 1000 + id), 0);
}

static void take(u64 now_ns)
{
	struct recorder_options options = {.sample_bytes = 1, .alloc_hit_ns = 1000, .free_hit_ns = 500};

	profile_free(profile);
	profile = NULL;
	assert_int_equal(snapshot_take(&options, process, now_ns, 99, &profile), 0);
}

/* The one sample of that size and depth. */
static const struct profile_sample *sample_of(u64 size, u32 depth)
{
	const struct profile_sample *found = NULL;

	for (u32 i = 0; i < profile->sample_count; i++) {
		if (profile->samples[i].size == size && profile->samples[i].depth == depth) {
			assert_null(found);
			found = &profile->samples[i];
		}
	}
	assert_non_null(found);
	return found;
}

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
	process_set_comm(process, "other");
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

/* A hundred bytes a cycle, kept; the collector's first cycles are those of two minutes. */
static void live_through(u32 cycles)
{
	collector_init(&process->heap.collector, &(struct collector_options){.gogc_percent = 100, .tenure = 3}, 1000);
	for (u32 i = 0; i < cycles; i++) {
		allocate(100 + i, 100, 7);
		collector_tick(&process->heap.collector, 1000 + (i + 1) * COLLECTOR_PERIOD_NS);
	}
}

static void test_snapshot_takes_over_the_model_and_ages(void **state)
{
	const struct profile_model *model;

	(void)state;
	live_through(5);
	collector_request(&process->heap.collector);
	take(1000 + 5 * COLLECTOR_PERIOD_NS + 10);
	model = &profile->model;
	assert_true(model->known);
	assert_int_equal(model->gogc_percent, 100);
	assert_int_equal(model->tenure, 3);
	assert_int_equal(model->cycles, 5);
	assert_int_equal(model->requests, 1);
	assert_int_equal(model->cycles_ns, 5 * COLLECTOR_PERIOD_NS);
	assert_true(model->cycles_bytes == 500);
	assert_true(model->marked_bytes == 500);
	assert_true(model->tenured_bytes == 300);
	assert_int_equal(model->clock_ns[2], 2 * COLLECTOR_PERIOD_NS);
	assert_int_equal(model->age_ns[0], 0);
	assert_int_equal(model->age_ns[1], 10);
	assert_int_equal(model->age_ns[5], 4 * COLLECTOR_PERIOD_NS + 10);
	assert_int_equal(model->age_ns[6], 0);
}

static u64 births(const struct lifetime *lifetime)
{
	u64 count = 0;

	for (u32 bucket = 0; bucket < LIFETIME_BUCKETS; bucket++)
		count += lifetime->born[bucket];
	return count;
}

static void test_snapshot_lifetimes_count_what_lives_and_leave_no_trace(void **state)
{
	const struct lifetime *lifetime;

	(void)state;
	live_through(5);
	heap_free(&process->heap, 100);
	for (int again = 0; again < 2; again++) {
		take(1000 + 6 * COLLECTOR_PERIOD_NS);
		assert_int_equal(profile->sample_count, 1);
		lifetime = profile->samples[0].lifetime;
		assert_non_null(lifetime);
		assert_int_equal(lifetime->died[5], 1);
		assert_int_equal(lifetime->ended[5], 0);
		for (u32 age = 1; age < 5; age++)
			assert_int_equal(lifetime->ended[age], 1);
		assert_int_equal(births(lifetime), 5);
	}
}

static void test_snapshot_lifetimes_of_samples_made_one_are_added(void **state)
{
	(void)state;
	add_stack(7, 1001, 2, (const u64[]){LIBRARY + 5, 0xdead0001});
	add_stack(8, 1001, 2, (const u64[]){LIBRARY + 5, 0xdead0002});
	live_through(3);
	allocate(1, 100, 8);
	allocate(2, 100, 8);
	heap_free(&process->heap, 2);
	take(1000 + 4 * COLLECTOR_PERIOD_NS);
	assert_int_equal(profile->sample_count, 1);
	assert_int_equal(births(profile->samples[0].lifetime), 5);
	assert_int_equal(profile->samples[0].lifetime->ended[0], 1);
	assert_int_equal(profile->samples[0].lifetime->died[0], 1);
	assert_int_equal(profile->samples[0].lifetime->ended[3], 1);
}

static void test_snapshot_shows_the_published_state(void **state)
{
	(void)state;
	live_through(3);
	allocate(1, 100, 7);
	take(1000 + 3 * COLLECTOR_PERIOD_NS + 10);
	assert_int_equal(sample_of(100, 0)->alloc_count, 2);
	assert_int_equal(sample_of(100, 0)->inuse_count, 2);
	collector_request(&process->heap.collector);
	take(1000 + 3 * COLLECTOR_PERIOD_NS + 10);
	assert_int_equal(sample_of(100, 0)->alloc_count, 4);
}

static void test_snapshot_without_frees_knows_no_lifetimes(void **state)
{
	struct recorder_options options = {.sample_bytes = 1, .alloc_only = true};

	(void)state;
	live_through(2);
	assert_int_equal(snapshot_take(&options, process, 5000, 99, &profile), 0);
	assert_false(profile->model.known);
	assert_null(profile->samples[0].lifetime);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_snapshot_nothing_yet_is_an_empty_profile),
		TEST(test_snapshot_takes_over_the_model_and_ages),
		TEST(test_snapshot_lifetimes_count_what_lives_and_leave_no_trace),
		TEST(test_snapshot_lifetimes_of_samples_made_one_are_added),
		TEST(test_snapshot_shows_the_published_state),
		TEST(test_snapshot_without_frees_knows_no_lifetimes),
		TEST(test_snapshot_samples_name_calls_leaf_first),
		TEST(test_snapshot_same_frame_in_many_stacks_is_one_location),
		TEST(test_snapshot_address_mapped_anew_is_another_location),
		TEST(test_snapshot_unknown_stack_is_a_sample_without_frames),
		TEST(test_snapshot_stack_is_cut_where_it_leaves_known_code),
		TEST(test_snapshot_leaf_is_kept_even_outside_known_code),
		TEST(test_snapshot_stacks_equal_after_the_cut_become_one_sample),
		TEST(test_snapshot_mappings_are_copied_whole),
		TEST(test_snapshot_is_its_own_when_the_process_goes_on),
		TEST(test_snapshot_ended_image_lasts_until_its_end),
		TEST(test_snapshot_of_a_moment_before_the_image_began_lasts_no_time),
		TEST(test_snapshot_peak_and_its_time_since_the_start),
		TEST(test_snapshot_cost_is_hits_by_their_price_over_cpu_time),
		TEST(test_snapshot_without_hits_or_cpu_time_costs_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
