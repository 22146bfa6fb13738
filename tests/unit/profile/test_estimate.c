/* SPDX-License-Identifier: GPL-2.0-or-later */
/* estimate.c: Go's golden numbers, that raw counts can be recovered, and both moments of the estimator by simulation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "profile/estimate.h"
#include "chance.h"

static void assert_scaled(u64 count, u64 size, u64 interval, u64 objects, u64 bytes)
{
	u64 got_objects = ~0ULL, got_bytes = ~0ULL;

	estimate_scale(count, size, interval, &got_objects, &got_bytes);
	assert_int_equal(got_objects, objects);
	assert_int_equal(got_bytes, bytes);
}

static void test_estimate_scale_go_golden_numbers_match(void **state)
{
	(void)state;
	assert_scaled(4, 1024, 524288, 2050, 2099200);
	assert_scaled(3, 1024, 524288, 1537, 1574400);
	assert_scaled(1, 524288, 524288, 1, 829411);
}

/* Printed by Go 1.19 itself: here the last bits of exp() decide. */
static void test_estimate_scale_tiny_sizes_truncate_as_go_does(void **state)
{
	(void)state;
	assert_scaled(1, 1, 524288, 524288, 524288);
	assert_scaled(1, 2, 524288, 262144, 524289);
	assert_scaled(7, 4, 524288, 917507, 3670030);
	assert_scaled(1000, 2, 16777216, 8388608500, 16777217000);
	assert_scaled(3, 1, 4294967295, 12884901888, 12884901888);
}

static void test_estimate_scale_no_count_is_nothing(void **state)
{
	(void)state;
	assert_scaled(0, 1024, 524288, 0, 0);
	assert_scaled(0, 0, 1, 0, 0);
}

static void test_estimate_scale_size_zero_counts_as_one_byte_for_objects_only(void **state)
{
	u64 objects, bytes;

	(void)state;
	estimate_scale(1, 1, 4096, &objects, &bytes);
	assert_scaled(1, 0, 4096, objects, 0);
	assert_scaled(5, 0, 1, 5, 0);
}

static void test_estimate_scale_interval_of_one_is_exact(void **state)
{
	(void)state;
	assert_scaled(3, 30000, 1, 3, 90000);
	assert_scaled((1ULL << 53) + 1, 1, 1, (1ULL << 53) + 1, (1ULL << 53) + 1);
	assert_scaled(3, 30000, 0, 3, 90000);
}

static void test_estimate_scale_overflow_saturates(void **state)
{
	(void)state;
	assert_scaled(1ULL << 40, 1ULL << 40, 1, 1ULL << 40, INT64_MAX);
	assert_scaled(1ULL << 62, 8, 1ULL << 62, INT64_MAX, INT64_MAX);
	assert_true(estimate_probability(1, UINT64_MAX) > 0.0);
}

static void test_estimate_probability_known_values_match(void **state)
{
	(void)state;
	assert_true(estimate_probability(64, 1) == 1.0);
	assert_true(fabs(estimate_probability(524288, 524288) - 0.63212055882855767) < 1e-15);
	assert_true(fabs(estimate_probability(64, 524288) / 1.2206286222255873e-4 - 1) < 1e-10);
	assert_true(estimate_probability(0, 4096) == estimate_probability(1, 4096));
	assert_true(estimate_probability(1ULL << 40, 4096) == 1.0);
}

/*
 * What the reader of saved profiles relies on: objects * p is the count or, by truncation, up to p less, and the next
 * count makes another number of objects; bytes * p / size even rounds to the count.
 */
static void assert_recoverable(u64 count, u64 size, u64 interval)
{
	double p = estimate_probability(size, interval);
	u64 objects, bytes, more, ignored, nearest;

	estimate_scale(count, size, interval, &objects, &bytes);
	estimate_scale(count + 1, size, interval, &more, &ignored);
	nearest = (u64)llround((double)objects * p);
	assert_true(nearest == count || nearest + 1 == count);
	assert_true(more > objects);
	assert_int_equal(estimate_unscale(objects, size, interval), count);
	if (size)
		assert_int_equal(llround((double)bytes * p / (double)size), count);
}

/* Sizes and intervals from far below to far above each other, and every residue of small counts. */
static void test_estimate_scale_raw_count_can_be_recovered(void **state)
{
	static const u64 intervals[] = {1, 2, 3, 7, 100, 512, 4096, 16384, 524288, 1 << 20, 64 << 20, 0xffffffff};
	static const u64 counts[] = {999, 1000, 4097, 65535, 99999, 1 << 20};

	(void)state;
	for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
		for (u64 size = 0; size < 1ULL << 34; size = size < 70 ? size + 1 : size * 9 / 8) {
			for (u64 count = 0; count <= 40; count++)
				assert_recoverable(count, size, intervals[i]);
			for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
				assert_recoverable(counts[c], size, intervals[i]);
		}
	}
}

static void test_estimate_scale_large_raw_count_can_be_recovered(void **state)
{
	(void)state;
	for (u64 size = 0; size < 1 << 20; size = size < 70 ? size + 1 : size * 3) {
		assert_recoverable((1ULL << 40) - 1, size, 1);
		assert_recoverable((1ULL << 30) - 1, size, 16384);
		assert_recoverable((1ULL << 30) - 1, size, 524288);
	}
}

static void test_estimate_variance_known_cases_match(void **state)
{
	double p = 1 - exp(-1.0);

	(void)state;
	assert_true(estimate_variance_objects(5, 100, 1, 1) == 0.0);
	assert_true(estimate_variance_bytes(0, 100, 4096, 1) == 0.0);
	assert_true(fabs(estimate_variance_objects(3, 4096, 4096, 1) / (3 * (1 - p) / (p * p)) - 1) < 1e-12);
	assert_true(fabs(estimate_variance_bytes(3, 4096, 4096, 1) / (3 * 4096.0 * 4096.0 * (1 - p) / (p * p)) - 1) <
		    1e-12);
	assert_true(estimate_variance_bytes(3, 0, 4096, 1) == 0.0);
}

/* --- simulation --- */

#define TRIALS	4000
#define OBJECTS 400

static u64 seed;

static u64 draw(u64 size, u64 interval)
{
	double p = -expm1(-(double)size / (double)interval);
	u64 count = 0;

	for (int i = 0; i < OBJECTS; i++)
		count += chance_uniform(&seed) < p;
	return count;
}

/*
 * OBJECTS allocations of each size, sampled TRIALS times. Three numbers are near normal with known spread: the mean
 * estimate, the mean estimated variance, and the sum of squared standardized errors (a chi-square). Each is held to 6
 * of its standard deviations: with any seed a correct module fails with probability below 3 * 2e-9, plus the
 * chi-square's slight skew: in all below 1e-6. A factor of (1 - p) or of p forgotten is hundreds of deviations away.
 */
static void test_estimate_variance_simulated_sampling_agrees(void **state)
{
	static const u64 sizes[] = {4096, 30000, 65536};
	const u64 interval = 65536;
	double sum = 0, variance_sum = 0, squares = 0, truth = 0, true_variance = 0, variance_of_variance = 0;

	(void)state;
	seed = 20240229;
	for (size_t i = 0; i < 3; i++) {
		double s = (double)sizes[i], p = -expm1(-s / (double)interval), unit = s * s * (1 - p) / (p * p);

		truth += OBJECTS * s;
		true_variance += OBJECTS * s * s * (1 - p) / p;
		variance_of_variance += OBJECTS * p * (1 - p) * unit * unit;
	}
	for (int t = 0; t < TRIALS; t++) {
		double estimate = 0, variance = 0;

		for (size_t i = 0; i < 3; i++) {
			u64 count = draw(sizes[i], interval);

			estimate += (double)count * (double)sizes[i] / estimate_probability(sizes[i], interval);
			variance += estimate_variance_bytes(count, sizes[i], interval, 1);
		}
		sum += estimate;
		variance_sum += variance;
		squares += (estimate - truth) * (estimate - truth) / true_variance;
	}
	assert_true(fabs(sum / TRIALS - truth) < 6 * sqrt(true_variance / TRIALS));
	assert_true(fabs(variance_sum / TRIALS - true_variance) < 6 * sqrt(variance_of_variance / TRIALS));
	assert_true(fabs(squares - TRIALS) < 6 * sqrt(2.0 * TRIALS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_estimate_scale_go_golden_numbers_match),
		cmocka_unit_test(test_estimate_scale_tiny_sizes_truncate_as_go_does),
		cmocka_unit_test(test_estimate_scale_no_count_is_nothing),
		cmocka_unit_test(test_estimate_scale_size_zero_counts_as_one_byte_for_objects_only),
		cmocka_unit_test(test_estimate_scale_interval_of_one_is_exact),
		cmocka_unit_test(test_estimate_scale_overflow_saturates),
		cmocka_unit_test(test_estimate_probability_known_values_match),
		cmocka_unit_test(test_estimate_scale_raw_count_can_be_recovered),
		cmocka_unit_test(test_estimate_scale_large_raw_count_can_be_recovered),
		cmocka_unit_test(test_estimate_variance_known_cases_match),
		cmocka_unit_test(test_estimate_variance_simulated_sampling_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
