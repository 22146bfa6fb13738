/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trace/windows: when the probes are on, and what follows from what they saw, for simulated programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/windows.h"
#include "unit/profile/chance.h"

#define LOOK_NS (WINDOW_NS / 10)
#define PERIODS 40
#define TRIALS	2000

static u64 seed;

static u32 draw(void)
{
	return (u32)(chance_next(&seed) >> 32);
}

/* Calls of a program in the `from` to `to` of its work: so many a window, all of it in bursts as long as one, each `rhythm` windows. */
static double calls_between(double from, double to, u32 rhythm)
{
	double sum = 0;

	for (double burst = 0; burst * rhythm * WINDOW_NS < to; burst++) {
		double begin = burst * rhythm * WINDOW_NS, end = begin + WINDOW_NS;
		double left = from > begin ? from : begin, right = to < end ? to : end;

		if (right > left)
			sum += 1000 * (right - left) / WINDOW_NS;
	}
	return sum;
}

struct outcome {
	double calls, error;
	u64 open_ns, passed_ns;
};

/* It is looked at every LOOK_NS, and every change is late by up to `late_ns`. */
static struct outcome simulate(u32 scale, u32 rhythm, u64 late_ns)
{
	struct windows windows = {0};
	u64 end_ns = PERIODS * scale * WINDOW_NS, opened_ns = 0, now_ns = 0;

	windows_begin(&windows, scale, 0, draw());
	while (windows.passed_ns < end_ns) {
		enum window_change change = windows_look(&windows, now_ns, draw());

		if (late_ns)
			now_ns += chance_below(&seed, (u32)late_ns);
		if (change == WINDOW_OPENS)
			windows_opened(&windows, opened_ns = now_ns);
		if (change == WINDOW_CLOSES)
			windows_closed(&windows, now_ns, (u64)calls_between((double)opened_ns, (double)now_ns, rhythm));
		now_ns += LOOK_NS;
	}
	return (struct outcome){windows.calls, windows_error(&windows), windows.open_ns, windows.passed_ns};
}

static void test_windows_none_are_never_due(void **state)
{
	struct windows windows = {0};

	(void)state;
	for (u64 now_ns = 0; now_ns < 100 * WINDOW_NS; now_ns += LOOK_NS)
		assert_int_equal(windows_look(&windows, now_ns, draw()), WINDOW_STAYS);
	assert_true(windows_error(&windows) == 0);
}

/* Each of the windows of a period is drawn: a draw that leaves one out is seen unless all 200 miss it, 8 (7/8)^200 = 2e-11. */
static void test_windows_every_one_is_drawn(void **state)
{
	struct windows windows = {0};
	u32 seen = 0;

	(void)state;
	seed = 1;
	for (int i = 0; i < 200; i++) {
		windows_begin(&windows, 8, 0, draw());
		assert_true(windows.drawn < 8);
		seen |= 1u << windows.drawn;
	}
	assert_int_equal(seen, 0xff);
}

static void test_windows_one_of_a_period_opens_and_closes(void **state)
{
	struct windows windows = {0};

	(void)state;
	windows_begin(&windows, 4, 1000, 0xc0000000); /* the last */
	assert_int_equal(windows_look(&windows, 1000 + 3 * WINDOW_NS - 1, 0), WINDOW_STAYS);
	assert_int_equal(windows_look(&windows, 1000 + 3 * WINDOW_NS, 0), WINDOW_OPENS);
	windows_opened(&windows, 1000 + 3 * WINDOW_NS);
	assert_int_equal(windows_look(&windows, 1000 + 4 * WINDOW_NS - 1, 0), WINDOW_STAYS);
	assert_int_equal(windows_look(&windows, 1000 + 4 * WINDOW_NS, 0), WINDOW_CLOSES);
	windows_closed(&windows, 1000 + 4 * WINDOW_NS, 10);
	assert_true(windows_period_is_over(&windows, 1000 + 4 * WINDOW_NS));
	assert_int_equal(windows_look(&windows, 1000 + 4 * WINDOW_NS, 0), WINDOW_OPENS); /* the next one's first */
	assert_true(windows.calls == 40);
}

/* However late the changes come, the share of the time is kept within a window. */
static void test_windows_lateness_is_made_up_for(void **state)
{
	(void)state;
	seed = 2;
	for (u32 scale = 2; scale <= 64; scale *= 2) {
		struct outcome outcome = simulate(scale, 1, WINDOW_NS / 2);
		double owed = (double)outcome.passed_ns / scale - (double)outcome.open_ns;

		assert_true(fabs(owed) < 2.0 * WINDOW_NS);
	}
}

/*
 * The mean of TRIALS estimates is held to 6 of its standard deviations, as estimated from them: a correct module fails with a probability
 * below 3e-9 for each of the six rhythms, which the bias of a window that is cut at the end of a look (0.1 %) does not change. The bursts
 * of the fourth rhythm are exactly as far apart as the periods are long, where fixed windows would see all or nothing.
 */
static void test_windows_estimate_is_unbiased_in_any_rhythm(void **state)
{
	static const u32 rhythms[] = {1, 2, 3, 8, 5, 16};

	(void)state;
	seed = 3;
	for (size_t r = 0; r < sizeof(rhythms) / sizeof(*rhythms); r++) {
		double truth = calls_between(0, 8.0 * PERIODS * WINDOW_NS, rhythms[r]), sum = 0, squares = 0;

		for (int i = 0; i < TRIALS; i++) {
			double calls = simulate(8, rhythms[r], 0).calls;

			sum += calls;
			squares += (calls - truth) * (calls - truth);
		}
		assert_true(fabs(sum / TRIALS - truth) < 6 * sqrt(squares / TRIALS / TRIALS) + 0.001 * truth);
	}
}

/*
 * What is stated covers what happens: the mean stated variance is no less than the real one. Both are means over TRIALS of numbers that spread by
 * less than their own size: with 2000 of them 6 standard deviations are 6 sqrt(2 / 2000) = 19 %.
 */
static void test_windows_stated_error_is_no_less_than_the_real_one(void **state)
{
	double truth = calls_between(0, 8.0 * PERIODS * WINDOW_NS, 3), stated = 0, real = 0;

	(void)state;
	seed = 4;
	for (int i = 0; i < TRIALS; i++) {
		struct outcome outcome = simulate(8, 3, 0);

		stated += outcome.error * outcome.error * outcome.calls * outcome.calls;
		real += (outcome.calls - truth) * (outcome.calls - truth);
	}
	assert_true(stated > 0.81 * real);
	assert_true(stated < 2 * real);
}

static void test_windows_even_load_has_hardly_an_error(void **state)
{
	(void)state;
	seed = 5;
	assert_true(simulate(8, 1, 0).error < 0.01);
}

/* Another scale, and none: what was estimated before stays, and so does its error. */
static void test_windows_estimate_outlives_a_change_of_scale(void **state)
{
	struct windows windows = {0};
	double before;

	(void)state;
	windows_begin(&windows, 2, 0, 0);
	for (u64 i = 0; i < 2; i++) {
		windows_opened(&windows, i * 2 * WINDOW_NS);
		windows_closed(&windows, (i * 2 + 1) * WINDOW_NS, i ? 10 : 30);
	}
	assert_true(windows.calls == 80);
	before = windows_error(&windows);
	/* (1 - 1/2) 2 (60 - 20)^2 / 2 */
	assert_true(fabs(before * 80 - sqrt(800)) < 1e-9);
	windows_end(&windows, 4 * WINDOW_NS);
	assert_true(fabs(windows_error(&windows) - before) < 1e-12);
	windows_begin(&windows, 4, 5 * WINDOW_NS, 0);
	assert_true(fabs(windows_error(&windows) - before) < 1e-12);
}

/* What one window alone says may all be chance. */
static void test_windows_one_window_has_all_of_the_error(void **state)
{
	struct windows windows = {0};

	(void)state;
	windows_begin(&windows, 4, 0, 0);
	windows_opened(&windows, 0);
	windows_closed(&windows, WINDOW_NS, 100);
	assert_true(fabs(windows_error(&windows) - sqrt(0.75)) < 1e-12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows_none_are_never_due),
		cmocka_unit_test(test_windows_every_one_is_drawn),
		cmocka_unit_test(test_windows_one_of_a_period_opens_and_closes),
		cmocka_unit_test(test_windows_lateness_is_made_up_for),
		cmocka_unit_test(test_windows_estimate_is_unbiased_in_any_rhythm),
		cmocka_unit_test(test_windows_stated_error_is_no_less_than_the_real_one),
		cmocka_unit_test(test_windows_even_load_has_hardly_an_error),
		cmocka_unit_test(test_windows_estimate_outlives_a_change_of_scale),
		cmocka_unit_test(test_windows_one_window_has_all_of_the_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
