/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot.c: the collector's model, ages and lifetimes, as a profile takes them over. */
#include "snapshot_scene.h"

#include "births.h"

/* A hundred bytes a cycle, kept; the collector's first cycles are those of two minutes. */
static void live_through(u32 cycles)
{
	gc_model_init(&process->heap.gc, &(struct gc_options){.gogc_percent = 100, .tenure = 3}, 1000);
	for (u32 i = 0; i < cycles; i++) {
		allocate(100 + i, 100, 7);
		gc_model_tick(&process->heap.gc, 1000 + (i + 1) * GC_PERIOD_NS);
	}
}

static void test_snapshot_takes_over_the_model_and_ages(void **state)
{
	const struct profile_model *model;

	(void)state;
	live_through(5);
	gc_model_request(&process->heap.gc);
	take(1000 + 5 * GC_PERIOD_NS + 10);
	model = &profile->model;
	assert_true(model->known);
	assert_int_equal(model->gogc_percent, 100);
	assert_int_equal(model->tenure, 3);
	assert_int_equal(model->cycles, 5);
	assert_int_equal(model->requests, 1);
	assert_int_equal(model->cycles_ns, 5 * GC_PERIOD_NS);
	assert_true(model->cycles_bytes == 500);
	assert_true(model->marked_bytes == 500);
	assert_true(model->tenured_bytes == 300);
	assert_int_equal(model->ticks, 605);
	assert_int_equal(model->clock_ns[1], GC_PERIOD_NS);
	assert_int_equal(model->age_ns[0], 0);
	assert_int_equal(model->age_ns[1], 10);
	assert_int_equal(model->age_ns[5], 4 * GC_PERIOD_NS + 10);
	assert_int_equal(model->age_ns[6], 0);
}

static void test_snapshot_lifetimes_count_what_lives_and_leave_no_trace(void **state)
{
	struct lifetime lifetime;

	(void)state;
	live_through(5);
	heap_free(&process->heap, 100);
	for (int again = 0; again < 2; again++) {
		take(1000 + 6 * GC_PERIOD_NS);
		assert_int_equal(profile->sample_count, 1);
		assert_non_null(profile->samples[0].lifetime);
		lifetime = lifetime_unpack(profile->samples[0].lifetime);
		assert_int_equal(lifetime.died[5], 1);
		assert_int_equal(lifetime.ended[5], 0);
		for (u32 age = 1; age < 5; age++)
			assert_int_equal(lifetime.ended[age], 1);
		assert_int_equal(births(&lifetime), 5);
	}
}

static void test_snapshot_lifetimes_of_samples_made_one_are_added(void **state)
{
	struct lifetime sum;

	(void)state;
	add_stack(7, 1001, 2, (const u64[]){LIBRARY + 5, 0xdead0001});
	add_stack(8, 1001, 2, (const u64[]){LIBRARY + 5, 0xdead0002});
	live_through(3);
	allocate(1, 100, 8);
	allocate(2, 100, 8);
	heap_free(&process->heap, 2);
	take(1000 + 4 * GC_PERIOD_NS);
	assert_int_equal(profile->sample_count, 1);
	sum = lifetime_unpack(profile->samples[0].lifetime);
	assert_int_equal(births(&sum), 5);
	assert_int_equal(sum.ended[0], 1);
	assert_int_equal(sum.died[0], 1);
	assert_int_equal(sum.ended[3], 1);
}

static void test_snapshot_shows_the_published_state(void **state)
{
	(void)state;
	live_through(3);
	allocate(1, 100, 7);
	take(1000 + 3 * GC_PERIOD_NS + 10);
	assert_int_equal(sample_of(100, 0)->alloc_count, 2);
	assert_int_equal(sample_of(100, 0)->inuse_count, 2);
	gc_model_request(&process->heap.gc);
	take(1000 + 3 * GC_PERIOD_NS + 10);
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

static void test_snapshot_of_counts_alone_has_no_lifetimes(void **state)
{
	struct recorder_options options = {.sample_bytes = 1, .counts_alone = true};

	(void)state;
	process->heap.counts_alone = true;
	live_through(2);
	gc_model_request(&process->heap.gc);
	assert_int_equal(snapshot_take(&options, process, 5000, 99, &profile), 0);
	assert_false(profile->model.known);
	assert_null(profile->samples[0].lifetime);
	assert_int_equal(profile->samples[0].alloc_count, 2);
	assert_int_equal(profile->samples[0].inuse_count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_snapshot_takes_over_the_model_and_ages),
		TEST(test_snapshot_lifetimes_count_what_lives_and_leave_no_trace),
		TEST(test_snapshot_lifetimes_of_samples_made_one_are_added),
		TEST(test_snapshot_shows_the_published_state),
		TEST(test_snapshot_without_frees_knows_no_lifetimes),
		TEST(test_snapshot_of_counts_alone_has_no_lifetimes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
