/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace/overhead: what is decided of simulated loads, step by step. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/overhead.h"

static struct overhead limited(double percent)
{
	return (struct overhead){
		.limit_percent = percent, .may_hint = true, .may_end_frees = true, .may_window = true, .scale = 1};
}

/*
 * A program whose allocating and freeing traps cost that many seconds for a second of work; what of it is left by what was decided.
 */
static double load(const struct overhead *overhead, double alloc, double free)
{
	double cost = (alloc + (overhead->may_end_frees ? free : 0)) / overhead->scale;

	return overhead_percent(cost * 1e9, (1 + cost) * 1e9);
}

static void test_overhead_no_limit_keeps_all(void **state)
{
	struct overhead overhead = limited(0);

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(overhead_decide(&overhead, 99), OVERHEAD_KEEP);
}

static void test_overhead_at_the_limit_keeps_all(void **state)
{
	struct overhead overhead = limited(5);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(overhead_decide(&overhead, 5), OVERHEAD_KEEP);
	assert_int_equal(overhead.scale, 1);
}

static void test_overhead_no_cpu_time_is_no_overhead(void **state)
{
	(void)state;
	assert_true(overhead_percent(0, 0) == 0);
	assert_true(overhead_percent(1e9, 0) == 0);
	assert_true(overhead_percent(1e9, 4e9) == 25);
}

static void test_overhead_steps_come_one_at_a_time_and_in_order(void **state)
{
	static const enum overhead_step order[] = {OVERHEAD_HINT, OVERHEAD_END_FREES, OVERHEAD_RARER, OVERHEAD_DETACH,
						   OVERHEAD_KEEP};
	struct overhead overhead = limited(0.001);

	(void)state;
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		assert_int_equal(overhead_decide(&overhead, load(&overhead, 0.6, 0.2)), order[i]);
	assert_true(overhead.detached);
	assert_int_equal(overhead.scale, OVERHEAD_SCALE_MAX);
}

static void test_overhead_goes_no_further_than_it_must(void **state)
{
	struct overhead overhead = limited(5);

	(void)state;
	assert_int_equal(overhead_decide(&overhead, load(&overhead, 0.04, 0.03)), OVERHEAD_HINT);
	assert_int_equal(overhead_decide(&overhead, load(&overhead, 0.04, 0.03)), OVERHEAD_END_FREES);
	for (int i = 0; i < 100; i++)
		assert_int_equal(overhead_decide(&overhead, load(&overhead, 0.04, 0.03)), OVERHEAD_KEEP);
}

/* Probes in Go's runtime trap with --inline too: where they alone take more, other steps follow at once. */
static void test_overhead_inline_is_not_named_where_go_takes_the_time(void **state)
{
	struct overhead overhead = limited(5);

	(void)state;
	overhead.go_percent = 6;
	assert_int_equal(overhead_decide(&overhead, 7), OVERHEAD_END_FREES);
	overhead.go_percent = 4;
	assert_int_equal(overhead_decide(&overhead, 7), OVERHEAD_HINT);
}

static void test_overhead_scale_is_the_least_power_of_two_that_does(void **state)
{
	struct overhead overhead = limited(3);

	(void)state;
	overhead.may_hint = overhead.may_end_frees = false;
	/* 0.65 s of traps for a second of work: 16 times less are 3.9 %, 32 times less 2 %. */
	assert_int_equal(overhead_decide(&overhead, load(&overhead, 0.65, 0)), OVERHEAD_RARER);
	assert_int_equal(overhead.scale, 32);
	assert_int_equal(overhead_decide(&overhead, load(&overhead, 0.65, 0)), OVERHEAD_KEEP);
	overhead = limited(5);
	overhead.may_hint = overhead.may_end_frees = false;
	assert_int_equal(overhead_decide(&overhead, load(&overhead, 0.1, 0)), OVERHEAD_RARER);
	assert_int_equal(overhead.scale, 2);
}

/* A program that does little but trap: nobody knows how much it does while it does not. */
static void test_overhead_windows_that_say_nothing_are_left_out(void **state)
{
	struct overhead overhead = limited(5);

	(void)state;
	overhead.may_hint = overhead.may_end_frees = false;
	assert_int_equal(overhead_decide(&overhead, OVERHEAD_WINDOWED_MAX + 0.1), OVERHEAD_DETACH);
	overhead = limited(5);
	overhead.may_hint = overhead.may_end_frees = false;
	assert_int_equal(overhead_decide(&overhead, OVERHEAD_WINDOWED_MAX), OVERHEAD_RARER);
}

static void test_overhead_bias_is_what_dearer_traps_would_explain(void **state)
{
	(void)state;
	assert_true(overhead_bias(0) == 0);
	assert_true(fabs(overhead_bias(50) - (0.5 / 0.375 - 1)) < 1e-12);
	assert_true(isinf(overhead_bias(80)));
	assert_true(isinf(overhead_bias(100)));
}

/* The load is gone: the probes are on more often, each time after some calm intervals, and at last always. */
static void test_overhead_calm_load_gets_its_windows_back(void **state)
{
	struct overhead overhead = limited(5);
	u32 steps = 0, intervals = 0;

	(void)state;
	overhead.may_hint = overhead.may_end_frees = false;
	overhead.scale = 8;
	for (; overhead.scale > 1; intervals++)
		steps += overhead_decide(&overhead, load(&overhead, 0.001, 0)) == OVERHEAD_DENSER;
	assert_int_equal(steps, 3);
	assert_int_equal(intervals, 3 * OVERHEAD_CALM_INTERVALS);
	assert_int_equal(overhead_decide(&overhead, load(&overhead, 0.001, 0)), OVERHEAD_KEEP);
}

/* Whatever the steady load, it settles: there is no pair of scales between which it goes to and fro. */
static void test_overhead_steady_load_settles(void **state)
{
	(void)state;
	for (double cost = 0.001; cost < 1; cost *= 1.07) {
		struct overhead overhead = limited(5);
		enum overhead_step step = OVERHEAD_KEEP;

		for (int i = 0; i < 40; i++)
			overhead_decide(&overhead, load(&overhead, cost, cost / 2));
		for (int i = 0; i < 40; i++) {
			step = overhead_decide(&overhead, load(&overhead, cost, cost / 2));
			assert_int_equal(step, OVERHEAD_KEEP);
		}
		assert_false(overhead.detached);
		assert_true(load(&overhead, cost, cost / 2) <= 5);
	}
}

/* One short calm is not enough, and frees and the hint never come back. */
static void test_overhead_one_calm_interval_changes_nothing(void **state)
{
	struct overhead overhead = limited(5);

	(void)state;
	overhead.may_hint = overhead.may_end_frees = false;
	overhead.scale = 4;
	for (int i = 0; i < 50; i++)
		assert_int_equal(overhead_decide(&overhead, i % OVERHEAD_CALM_INTERVALS ? 0.1 : 4), OVERHEAD_KEEP);
	assert_int_equal(overhead.scale, 4);
}

/* With the sampler in the processes there is nothing to be had but the end. */
static void test_overhead_where_nothing_is_allowed_it_ends(void **state)
{
	struct overhead overhead = {.limit_percent = 5, .scale = 1};

	(void)state;
	assert_int_equal(overhead_decide(&overhead, 5.1), OVERHEAD_DETACH);
	assert_int_equal(overhead_decide(&overhead, 99), OVERHEAD_KEEP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overhead_no_limit_keeps_all),
		cmocka_unit_test(test_overhead_at_the_limit_keeps_all),
		cmocka_unit_test(test_overhead_no_cpu_time_is_no_overhead),
		cmocka_unit_test(test_overhead_steps_come_one_at_a_time_and_in_order),
		cmocka_unit_test(test_overhead_goes_no_further_than_it_must),
		cmocka_unit_test(test_overhead_inline_is_not_named_where_go_takes_the_time),
		cmocka_unit_test(test_overhead_scale_is_the_least_power_of_two_that_does),
		cmocka_unit_test(test_overhead_windows_that_say_nothing_are_left_out),
		cmocka_unit_test(test_overhead_bias_is_what_dearer_traps_would_explain),
		cmocka_unit_test(test_overhead_calm_load_gets_its_windows_back),
		cmocka_unit_test(test_overhead_steady_load_settles),
		cmocka_unit_test(test_overhead_one_calm_interval_changes_nothing),
		cmocka_unit_test(test_overhead_where_nothing_is_allowed_it_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
