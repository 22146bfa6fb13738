/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sample.bpf.h against the exact law p = 1 - exp(-s/R) in long doubles, and the draw that alloc.bpf.c makes of it
 * against the binomial distribution.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "bpf/alloc.bpf.c"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const u64 intervals[] = {2,	    3,	       7,	100,	       512,	 4096,
				16384,	    524288,    1 << 20, (1 << 20) + 1, 64 << 20, (64 << 20) + 1,
				1ULL << 31, 0xffffffff};

static long double exact(u64 size, u64 sample_bytes)
{
	return -expm1l(-(long double)size / (long double)sample_bytes);
}

static void assert_near_exact(u64 size, u64 sample_bytes)
{
	long double p = exact(size, sample_bytes),
		    got = ldexpl((long double)sample_probability(size, sample_bytes), -64);

	if (fabsl(got / p - 1) >= 2e-8L)
		fail_msg("size %llu, interval %llu: %.12Lg instead of %.12Lg", (unsigned long long)size,
			 (unsigned long long)sample_bytes, got, p);
}

static void test_sample_probability_sizes_from_1_to_2_40_near_the_exact_law(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(intervals); i++)
		for (u64 size = 1; size <= 1ULL << 40; size = size < 600 ? size + 1 : size + size / 97)
			assert_near_exact(size, intervals[i]);
}

/* Where one branch or table row ends and the next begins: every sixteenth of an interval, a byte to both sides. */
static void test_sample_probability_borders_of_rows_near_the_exact_law(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(intervals); i++) {
		for (u64 sixteenths = 1; sixteenths <= 16 * (SAMPLE_CERTAIN + 2); sixteenths++) {
			u64 size = intervals[i] * sixteenths / 16;

			for (u64 near = size > 1 ? size - 1 : 1; near <= size + 1; near++)
				assert_near_exact(near, intervals[i]);
		}
	}
}

static void test_sample_probability_random_pairs_near_the_exact_law(void **state)
{
	(void)state;
	stub_reset(4096);
	for (u32 n = 0; n < 1000000; n++) {
		u64 sample_bytes = 2 + stub_random() % (0xffffffffULL >> stub_random() % 31 & ~1ULL);
		u64 size = 1 + stub_random() % (1ULL << (1 + stub_random() % 40));

		assert_near_exact(size, sample_bytes);
	}
}

static void test_sample_probability_far_above_the_interval_is_all_but_certain(void **state)
{
	(void)state;
	assert_true(sample_probability(23, 2) < UINT64_MAX);
	assert_true(sample_probability(46, 2) == UINT64_MAX);
	assert_true(sample_probability(1ULL << 63, 0xffffffff) == UINT64_MAX);
	assert_true(sample_probability(UINT64_MAX, 2) == UINT64_MAX);
}

/* A rejected upper half must be at or above p with any lower half: high / 2^32 >= p. Equality is legitimate. */
static void assert_rejection_right(u32 high, u64 size, u64 sample_bytes)
{
	if (sample_rejects(high, size, sample_bytes))
		assert_true(ldexpl((long double)high, -32) >= exact(size, sample_bytes));
}

static void test_sample_rejects_random_numbers_never_one_that_the_law_takes(void **state)
{
	(void)state;
	stub_reset(4096);
	for (u32 n = 0; n < 2000000; n++) {
		u64 sample_bytes = intervals[stub_random() % COUNT_OF(intervals)];
		u64 size = 1 + stub_random() % (1ULL << (1 + stub_random() % 40));

		assert_rejection_right((u32)stub_random(), size, sample_bytes);
	}
}

/* The least rejected number is the first at or above 2^32 s/R: none below, all above. */
static void test_sample_rejects_at_the_border_is_exactly_the_bound(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(intervals); i++) {
		for (u64 size = 1; size < intervals[i]; size = size < 600 ? size + 1 : size * 5 / 4) {
			u64 least = ((size << 32) + intervals[i] - 1) / intervals[i];

			assert_rejection_right((u32)least, size, intervals[i]);
			assert_true(sample_rejects((u32)least, size, intervals[i]));
			assert_true(sample_rejects(UINT32_MAX, size, intervals[i]) || least > UINT32_MAX);
			assert_false(sample_rejects((u32)(least - 1), size, intervals[i]));
		}
	}
}

static void test_sample_rejects_sizes_from_the_interval_on_never(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(intervals); i++) {
		assert_false(sample_rejects(UINT32_MAX, intervals[i], intervals[i]));
		assert_false(sample_rejects(UINT32_MAX, UINT64_MAX, intervals[i]));
	}
}

static void test_sampled_interval_of_one_takes_everything_without_a_draw(void **state)
{
	u64 before;

	(void)state;
	stub_reset(4096);
	config.sample_bytes = 1;
	before = stub.random;
	for (u64 size = 0; size < 1000; size++)
		assert_true(sampled(size));
	assert_true(stub.random == before);
}

/*
 * DRAWS draws a pair; the number taken is binomial. Every pair expects at least 1 000 either way or is certain, so six
 * standard deviations (and 6 more, for what the normal approximation misses of the skew) are exceeded with probability
 * below 2e-9; 45 pairs: below 1e-7 that a right sampler fails with a seed chosen blindly.
 */
#define DRAWS 2000000

static void assert_frequency(u64 size, u64 sample_bytes)
{
	double p = (double)exact(size ? size : 1, sample_bytes), deviation = sqrt(DRAWS * p * (1 - p));
	u64 taken = 0;

	config.sample_bytes = sample_bytes;
	for (u32 n = 0; n < DRAWS; n++)
		taken += sampled(size);
	if (fabs((double)taken - DRAWS * p) > 6 * deviation + 6)
		fail_msg("size %llu, interval %llu: %llu taken, %.1f expected", (unsigned long long)size,
			 (unsigned long long)sample_bytes, (unsigned long long)taken, DRAWS * p);
}

static void test_sampled_frequencies_follow_the_law(void **state)
{
	/* Sizes as parts of the interval, in thousandths. */
	static const u64 parts[] = {1, 10, 62, 63, 200, 999, 1000, 2300, 40000};
	static const u64 some[] = {16384, 524288, 64 << 20, (64 << 20) + 12345, 0xffffffff};

	(void)state;
	stub_reset(4096);
	stub.random = 20240607;
	for (size_t i = 0; i < COUNT_OF(some); i++)
		for (size_t j = 0; j < COUNT_OF(parts); j++)
			assert_frequency(some[i] * parts[j] / 1000, some[i]);
}

static void test_sampled_size_zero_counts_as_one_byte(void **state)
{
	(void)state;
	stub_reset(4096);
	stub.random = 7;
	assert_frequency(0, 2);
	assert_frequency(0, 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample_probability_sizes_from_1_to_2_40_near_the_exact_law),
		cmocka_unit_test(test_sample_probability_borders_of_rows_near_the_exact_law),
		cmocka_unit_test(test_sample_probability_random_pairs_near_the_exact_law),
		cmocka_unit_test(test_sample_probability_far_above_the_interval_is_all_but_certain),
		cmocka_unit_test(test_sample_rejects_random_numbers_never_one_that_the_law_takes),
		cmocka_unit_test(test_sample_rejects_at_the_border_is_exactly_the_bound),
		cmocka_unit_test(test_sample_rejects_sizes_from_the_interval_on_never),
		cmocka_unit_test(test_sampled_interval_of_one_takes_everything_without_a_draw),
		cmocka_unit_test(test_sampled_frequencies_follow_the_law),
		cmocka_unit_test(test_sampled_size_zero_counts_as_one_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
