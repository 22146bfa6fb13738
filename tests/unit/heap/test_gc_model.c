/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gc_model.c: pacing, generations, and the moments of cycles. */
#include "gc_model_scene.h"

#include <math.h>

#define MIB 1048576.0

/* Allocate and keep: what lives grows with what is allocated. */
static void keep(double bytes)
{
	gc_model_allocate(&gc, bytes, 2 * SECOND);
	gc_model_birth(&gc, bytes);
}

/* Allocate and free at once. */
static void churn(double bytes)
{
	gc_model_allocate(&gc, bytes, 2 * SECOND);
	gc_model_birth(&gc, bytes);
	gc_model_change(&gc, gc.cycle, -bytes);
}

/* --- pacing --- */

static void test_gc_model_first_cycle_completes_at_four_mebibytes(void **state)
{
	(void)state;
	begin(100);
	churn(4 * MIB - 1);
	assert_int_equal(gc.cycle, 0);
	churn(1);
	assert_int_equal(gc.cycle, 1);
	assert_true(gc.since_bytes == 1);
	assert_true(gc.marked_bytes == 0);
}

static void test_gc_model_gogc_scales_the_least_goal(void **state)
{
	static const u32 percents[] = {25, 50, 100, 400};

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		begin(percents[i]);
		churn(4 * MIB * percents[i] / 100 - 1);
		assert_int_equal(gc.cycle, 0);
		churn(1);
		assert_int_equal(gc.cycle, 1);
	}
}

/* 100 MiB marked: the next cycle after as much again at 100, after half of it at 50. */
static void test_gc_model_goal_follows_what_was_marked(void **state)
{
	static const u32 percents[] = {50, 100, 200};

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		begin(percents[i]);
		keep(100 * MIB);
		churn(1);
		assert_true(gc.marked_bytes == 100 * MIB);
		assert_int_equal(gc.cycle, 2);
		churn(percents[i] * MIB - 2);
		assert_int_equal(gc.cycle, 2);
		churn(1);
		assert_int_equal(gc.cycle, 3);
	}
}

static void test_gc_model_two_minutes_complete_a_cycle_at_the_moment_due(void **state)
{
	(void)state;
	begin(100);
	gc_model_tick(&gc, 121 * SECOND - 1);
	assert_int_equal(gc.cycle, 0);
	gc_model_tick(&gc, 121 * SECOND);
	assert_int_equal(gc.cycle, 1);
	gc_model_tick(&gc, 500 * SECOND);
	assert_int_equal(gc.cycle, 4);
	assert_int_equal(gc_model_moment(&gc, 4).time_ns, 481 * SECOND);
	assert_int_equal(gc_model_moment(&gc, 2).time_ns, 241 * SECOND);
}

static void test_gc_model_time_from_before_the_last_cycle_completes_none(void **state)
{
	(void)state;
	begin(100);
	gc_model_tick(&gc, 121 * SECOND);
	gc_model_tick(&gc, 0);
	assert_int_equal(gc.cycle, 1);
}

static void test_gc_model_ticks_are_cycles_and_seconds(void **state)
{
	(void)state;
	begin(100);
	gc_model_tick(&gc, 3 * SECOND - 1);
	assert_int_equal(gc_model_now(&gc).tick, 1);
	keep(4 * MIB);
	gc_model_allocate(&gc, 4 * MIB, 3 * SECOND);
	assert_int_equal(gc_model_now(&gc).cycle, 2);
	assert_int_equal(gc_model_now(&gc).tick, 4);
	gc_model_tick(&gc, 0);
	assert_int_equal(gc_model_now(&gc).tick, 4);
	begin(0);
	gc_model_tick(&gc, 8 * SECOND);
	assert_int_equal(gc_model_now(&gc).tick, 7);
}

/* Each bucket of lifetime.h begins at the first moment that has reached it, however often they were folded. */
static void test_gc_model_knows_when_buckets_began(void **state)
{
	(void)state;
	begin(0);
	for (u32 second = 1; second <= 1000; second++) {
		u32 width = lifetime_width(second);

		gc_model_tick(&gc, (second + 1) * SECOND);
		for (u32 bucket = 0; bucket <= second / width; bucket++)
			assert_int_equal(gc.bucket_ns[bucket], (bucket * width + 1) * SECOND);
	}
	gc_model_tick(&gc, 5000 * SECOND);
	assert_int_equal(gc.bucket_ns[9], 5000 * SECOND);
}

static void test_gc_model_off_is_paced_by_nothing(void **state)
{
	(void)state;
	begin(0);
	churn(1e15);
	churn(1e15);
	gc_model_tick(&gc, 1000000 * SECOND);
	gc_model_request(&gc);
	assert_int_equal(gc.cycle, 0);
	assert_int_equal(gc.booked, 1);
}

static void test_gc_model_request_leaves_the_pacing_alone(void **state)
{
	struct gc_model before;

	(void)state;
	begin(100);
	keep(3 * MIB);
	before = gc;
	gc_model_request(&gc);
	before.booked = gc.booked;
	before.published = gc.published;
	assert_memory_equal(&before, &gc, sizeof(gc));
	churn(1 * MIB);
	assert_int_equal(gc.cycle, 1);
}

/* --- generations and history --- */

static void test_gc_model_object_is_tenured_when_it_has_survived_two_cycles(void **state)
{
	(void)state;
	begin(100);
	gc_model_birth(&gc, 10);
	gc_model_birth(&gc, 5);
	complete_cycle();
	gc_model_change(&gc, 0, -5);
	assert_true(gc.tenured_bytes == 0);
	complete_cycle();
	assert_true(gc.tenured_bytes == 10);
	assert_true(gc.promoted_bytes == 10);
	assert_true(gc.judged_bytes == 15);
	assert_true(gc.visited_bytes == 25);
	gc_model_change(&gc, 0, -10);
	assert_true(gc.tenured_bytes == 0);
	assert_true(gc.promoted_bytes == 10);
	assert_true(gc.live_bytes == 0);
}

static void test_gc_model_tenure_is_counted_in_cycles_up_to_the_largest(void **state)
{
	(void)state;
	for (u32 tenure = 1; tenure <= GC_TENURE_MAX; tenure++) {
		gc_model_release(&gc);
		gc_model_init(&gc, &(struct gc_options){.gogc_percent = 100, .tenure = tenure}, 0);
		for (u32 cycle = 0; cycle < 100; cycle++) {
			gc_model_birth(&gc, 1);
			assert_true(gc.tenured_bytes == (cycle < tenure ? 0 : cycle - tenure + 1));
			complete_cycle();
		}
	}
}

static void test_gc_model_trend_is_growth_per_second(void **state)
{
	(void)state;
	begin(100);
	assert_true(gc_model_trend(&gc) == 0);
	for (unsigned int i = 0; i < 20; i++) {
		gc_model_birth(&gc, 1200);
		complete_cycle();
	}
	assert_true(fabs(gc_model_trend(&gc) - 10) < 1e-9);
}

/* An image that is new, of which there may be thousands, has none. */
static void test_gc_model_keeps_moments_as_cycles_come(void **state)
{
	(void)state;
	begin(100);
	assert_null(gc.history[0]);
	complete_cycle();
	complete_cycle();
	assert_non_null(gc.history[1]);
	assert_null(gc.history[2]);
}

/* 10^5 cycles, one a unit of time: exact for the last 32, never too early and at most 1/16 too late for the others. */
static void test_gc_model_moment_is_exact_lately_and_close_long_ago(void **state)
{
	(void)state;
	begin(100);
	for (u32 i = 1; i <= 100000; i++)
		complete_cycle();
	for (u32 i = 1; i <= 100000; i++) {
		u64 at = (gc_model_moment(&gc, i).time_ns - SECOND) / GC_PERIOD_NS;

		assert_true(at >= i);
		if (i > 100000 - 32)
			assert_int_equal(at, i);
		assert_true((double)(at - i) <= (100000.0 - i) / 16 + 1);
	}
	assert_int_equal(gc_model_moment(&gc, 0).time_ns, SECOND);
}

static void test_gc_model_moment_is_exact_where_buckets_of_lifetimes_begin(void **state)
{
	(void)state;
	begin(100);
	for (u32 cycle = 0; cycle < 10000; cycle++) {
		for (u32 begins = 0; begins <= cycle; begins += lifetime_width(cycle))
			assert_int_equal(gc_model_moment(&gc, begins).time_ns, SECOND + begins * GC_PERIOD_NS);
		complete_cycle();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gc_model_first_cycle_completes_at_four_mebibytes),
		cmocka_unit_test(test_gc_model_gogc_scales_the_least_goal),
		cmocka_unit_test(test_gc_model_goal_follows_what_was_marked),
		cmocka_unit_test(test_gc_model_two_minutes_complete_a_cycle_at_the_moment_due),
		cmocka_unit_test(test_gc_model_time_from_before_the_last_cycle_completes_none),
		cmocka_unit_test(test_gc_model_ticks_are_cycles_and_seconds),
		cmocka_unit_test(test_gc_model_knows_when_buckets_began),
		cmocka_unit_test(test_gc_model_off_is_paced_by_nothing),
		cmocka_unit_test(test_gc_model_request_leaves_the_pacing_alone),
		cmocka_unit_test(test_gc_model_object_is_tenured_when_it_has_survived_two_cycles),
		cmocka_unit_test(test_gc_model_tenure_is_counted_in_cycles_up_to_the_largest),
		cmocka_unit_test(test_gc_model_trend_is_growth_per_second),
		cmocka_unit_test(test_gc_model_keeps_moments_as_cycles_come),
		cmocka_unit_test(test_gc_model_moment_is_exact_lately_and_close_long_ago),
		cmocka_unit_test(test_gc_model_moment_is_exact_where_buckets_of_lifetimes_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
