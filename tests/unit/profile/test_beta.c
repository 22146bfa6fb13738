/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The beta distribution of survival.c: against binomial sums and closed forms, over a wide range. */
#include "binomial.h"

#include "profile/survival.c"

static void test_beta_cdf_binomial_sums_match(void **state)
{
	(void)state;
	for (u32 n = 1; n <= 300; n += 1 + n / 4)
		for (u32 x = 0; x < n; x++)
			for (double p = 0.001; p < 1; p += 0.0499)
				assert_near(beta_cdf(p, x + 1.0, n - x), 1 - binomial_cdf(x, n, p), 1e-11);
}

static void test_beta_cdf_closed_forms_match(void **state)
{
	(void)state;
	for (double x = 0.01; x < 1; x += 0.01) {
		assert_near(beta_cdf(x, 1, 1), x, 1e-14);
		assert_near(beta_cdf(x, 3.7, 1), pow(x, 3.7), 1e-13);
		assert_near(beta_cdf(x, 1, 0.2), 1 - pow(1 - x, 0.2), 1e-13);
		assert_near(beta_cdf(x, 0.5, 0.5), 2 / M_PI * asin(sqrt(x)), 1e-13);
	}
}

static void test_beta_cdf_many_samples_stay_exact(void **state)
{
	(void)state;
	assert_near(beta_cdf(0.5, 5e6, 5e6), 0.5, 1e-7);
	assert_near(beta_cdf(0.5 + 3 / sqrt(4e7), 5e6, 5e6), 0.998650102, 1e-7);
	assert_near(beta_cdf(1e-7, 1, 1e7), 1 - exp(-1), 1e-7);
}

static void test_beta_cdf_outside_is_0_or_1(void **state)
{
	(void)state;
	assert_true(beta_cdf(0, 2, 3) == 0 && beta_cdf(-1, 2, 3) == 0);
	assert_true(beta_cdf(1, 2, 3) == 1 && beta_cdf(2, 2, 3) == 1);
	assert_true(beta_cdf(0.5, 0, 3) == 1 && beta_cdf(0.5, 2, 0) == 0);
}

static void test_beta_quantile_is_the_inverse(void **state)
{
	static const double shapes[] = {0.3, 1, 1.5, 7, 60, 900.5, 1e6}, shares[] = {1e-6, 0.0005, 0.05, 0.5, 0.9995};

	(void)state;
	for (size_t a = 0; a < 7; a++)
		for (size_t b = 0; b < 7; b++)
			for (size_t p = 0; p < 5; p++) {
				double x = beta_quantile(shares[p], shapes[a], shapes[b]), step = 2e-12 + 2e-9 * x;

				assert_true(beta_cdf(x - step, shapes[a], shapes[b]) <= shares[p] + 1e-9);
				assert_true(beta_cdf(x + step, shapes[a], shapes[b]) >= shares[p] - 1e-9);
			}
	assert_true(beta_quantile(0.5, 0, 2) == 0 && beta_quantile(0.5, 2, 0) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beta_cdf_binomial_sums_match),
		cmocka_unit_test(test_beta_cdf_closed_forms_match),
		cmocka_unit_test(test_beta_cdf_many_samples_stay_exact),
		cmocka_unit_test(test_beta_cdf_outside_is_0_or_1),
		cmocka_unit_test(test_beta_quantile_is_the_inverse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
