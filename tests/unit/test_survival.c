/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * survival.c and beta.c: a published table to the digit, exact binomial intervals against binomial sums, and how often
 * the 99.9 % band holds a truth that is known. All seeds are fixed, so nothing here is left to chance.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "../../user/beta.h"
#include "../../user/survival.h"
#include "chance.h"

static void assert_near(double value, double expected, double tolerance)
{
	if (fabs(value - expected) <= tolerance)
		return;
	print_error("%.12g, expected %.12g within %g\n", value, expected, tolerance);
	fail();
}

static void die(struct lifetime *lifetime, u32 age, u32 count)
{
	while (count--)
		lifetime_death(lifetime, 0, age);
}

static void end(struct lifetime *lifetime, u32 age, u32 count)
{
	while (count--)
		lifetime_end(lifetime, 0, age);
}

static struct survival survival_of(const struct lifetime *lifetime)
{
	struct survival survival = {0};

	survival_add(&survival, lifetime, 1);
	return survival;
}

static double estimate_at(const struct survival *survival, u32 age)
{
	struct survival_point point;

	survival_at(survival, lifetime_class(age), 0.5, &point);
	return point.estimate;
}

/* --- beta.c -------------------------------------------------------------------------------------------------------- */

/* P(X <= x) of X ~ binomial(n, p), term by term. */
static double binomial_cdf(u32 x, u32 n, double p)
{
	long double sum = 0;

	for (u32 i = 0; i <= x; i++)
		sum += expl(lgammal(n + 1.0L) - lgammal(i + 1.0L) - lgammal(n - i + 1.0L) + i * logl(p) +
			    (n - i) * log1pl(-(long double)p));
	return (double)sum;
}

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

/* --- the estimate -------------------------------------------------------------------------------------------------- */

/*
 * Weeks in remission of 42 children with leukaemia (Freireich et al., Blood 21, 1963): half had 6-mercaptopurine, half
 * had nothing. The textbooks' S at each week of a relapse; ours is at the week after, since a death at age k is before
 * the end of cycle k + 1.
 */
static void test_survival_remission_under_treatment_is_the_published_table(void **state)
{
	static const u32 relapses[] = {6, 6, 6, 7, 10, 13, 16, 22, 23};
	static const u32 in_remission[] = {6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35};
	static const struct {
		u32 week;
		double published;
	} table[] = {{6, 0.8571}, {7, 0.8067}, {10, 0.7529}, {13, 0.6902}, {16, 0.6275}, {22, 0.5378}, {23, 0.4482}};
	struct lifetime lifetime = {0};
	struct survival survival;
	double median;

	(void)state;
	for (size_t i = 0; i < sizeof(relapses) / sizeof(*relapses); i++)
		die(&lifetime, relapses[i], 1);
	for (size_t i = 0; i < sizeof(in_remission) / sizeof(*in_remission); i++)
		end(&lifetime, in_remission[i], 1);
	survival = survival_of(&lifetime);
	assert_int_equal(survival.samples, 21);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		assert_near(estimate_at(&survival, table[i].week + 1), table[i].published, 0.00005);
	assert_near(estimate_at(&survival, 6), 1, 0);
	assert_near(estimate_at(&survival, 32), 18. / 21 * 16 / 17 * 14 / 15 * 11 / 12 * 10 / 11 * 6 / 7 * 5 / 6,
		    1e-15);
	assert_true(survival_median(&survival, &median));
	assert_true(median > 23 && median < 24);
}

static void test_survival_remission_untreated_is_the_published_table(void **state)
{
	static const u32 relapses[] = {1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23};
	static const struct {
		u32 week;
		double published;
	} table[] = {{1, 0.9048},  {2, 0.8095},	 {3, 0.7619},  {4, 0.6667},  {5, 0.5714},  {8, 0.3810},
		     {11, 0.2857}, {12, 0.1905}, {15, 0.1429}, {17, 0.0952}, {22, 0.0476}, {23, 0}};
	struct lifetime lifetime = {0};
	struct survival survival;

	(void)state;
	for (size_t i = 0; i < sizeof(relapses) / sizeof(*relapses); i++)
		die(&lifetime, relapses[i], 1);
	survival = survival_of(&lifetime);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		assert_near(estimate_at(&survival, table[i].week + 1), table[i].published, 0.00005);
}

/* At age 2 all five are at risk of dying, though two are not seen any longer; at age 3 only two. */
static void test_survival_equal_age_deaths_come_before_ends(void **state)
{
	struct lifetime lifetime = {0};
	struct survival survival;

	(void)state;
	die(&lifetime, 2, 1);
	end(&lifetime, 2, 2);
	die(&lifetime, 3, 1);
	end(&lifetime, 9, 1);
	survival = survival_of(&lifetime);
	assert_near(estimate_at(&survival, 3), 4. / 5, 1e-15);
	assert_near(estimate_at(&survival, 4), 4. / 5 * 1 / 2, 1e-15);
}

/* Ten reach age 32; in [32, 64) two die and four are last seen, so eight are at risk of it; then one of four, of 4. */
static void test_survival_doubling_class_counts_ends_half(void **state)
{
	struct lifetime lifetime = {0};
	struct survival survival;

	(void)state;
	die(&lifetime, 5, 10);
	die(&lifetime, 40, 2);
	end(&lifetime, 33, 4);
	die(&lifetime, 64, 1);
	end(&lifetime, 1 << 20, 3);
	survival = survival_of(&lifetime);
	assert_near(estimate_at(&survival, 32), 0.5, 1e-15);
	assert_near(estimate_at(&survival, 64), 0.5 * 6 / 8, 1e-15);
	assert_near(estimate_at(&survival, 128), 0.5 * 6 / 8 * 3 / 4, 1e-15);
	assert_near(estimate_at(&survival, 1 << 20), 0.5 * 6 / 8 * 3 / 4, 1e-15);
}

/* One of two objects of 1 KiB and two of six of 64 B die at age 0: in bytes 1152 of 2432. */
static void test_survival_weights_make_bytes_of_objects(void **state)
{
	struct lifetime large = {0}, small = {0};
	struct survival survival = {0};
	struct survival_point point;

	(void)state;
	die(&large, 0, 1);
	end(&large, 4, 1);
	die(&small, 0, 2);
	end(&small, 3, 4);
	survival_add(&survival, &large, 1024);
	survival_add(&survival, &small, 64);
	survival_at(&survival, 1, 0.001, &point);
	assert_int_equal(survival.samples, 8);
	assert_near(point.estimate, 1280. / 2432, 1e-15);
	assert_near(point.at_risk, 1280. * 1280 / (1024 * 1024 + 4 * 64 * 64), 1e-12);
}

static void test_survival_equal_weights_give_raw_counts(void **state)
{
	struct lifetime lifetime = {0};
	struct survival survival, weighted = {0};

	(void)state;
	for (u32 age = 0; age < 100; age += 3) {
		die(&lifetime, age, 2);
		end(&lifetime, age + 1, 3);
	}
	survival = survival_of(&lifetime);
	survival_add(&weighted, &lifetime, 524288.1234);
	for (u32 k = 0; k < LIFETIME_CLASSES; k++) {
		struct survival_point raw, point;

		survival_at(&survival, k, 0.01, &raw);
		survival_at(&weighted, k, 0.01, &point);
		assert_near(point.at_risk, raw.at_risk, 1e-9);
		assert_near(point.estimate, raw.estimate, 1e-12);
		assert_near(point.lower, raw.lower, 1e-8);
		assert_near(point.upper, raw.upper, 1e-8);
	}
}

static void test_survival_median_is_interpolated(void **state)
{
	struct lifetime lifetime = {0};
	struct survival survival;
	double median;

	(void)state;
	die(&lifetime, 3, 40); /* S(3) = 1, S(4) = 0.6, S(5) = 0.2 */
	die(&lifetime, 4, 40);
	end(&lifetime, 9, 20);
	survival = survival_of(&lifetime);
	assert_true(survival_median(&survival, &median));
	assert_near(median, 4.25, 1e-12);

	lifetime = (struct lifetime){0};
	die(&lifetime, 100, 4); /* S(64) = 1, S(128) = 0 */
	survival = survival_of(&lifetime);
	assert_true(survival_median(&survival, &median));
	assert_near(median, 96, 1e-12);
}

static void test_survival_median_not_reached_is_said(void **state)
{
	struct lifetime lifetime = {0};
	struct survival survival = {0};
	double median = -1;

	(void)state;
	assert_false(survival_median(&survival, &median));
	die(&lifetime, 3, 49);
	end(&lifetime, 9, 51);
	survival = survival_of(&lifetime);
	assert_false(survival_median(&survival, &median));
	assert_true(median == -1);
}

/* --- the band ------------------------------------------------------------------------------------------------------ */

/* Textbook intervals of Clopper and Pearson: `died` of n before their first cycle ends. */
static void assert_interval(u32 died, u32 n, double risk, double lower, double upper, double tolerance)
{
	struct lifetime lifetime = {0};
	struct survival survival;
	struct survival_point point;

	die(&lifetime, 0, died);
	end(&lifetime, 1, n - died);
	survival = survival_of(&lifetime);
	survival_at(&survival, 1, risk, &point);
	assert_near(point.estimate, 1 - (double)died / n, 1e-15);
	assert_near(point.lower, lower, tolerance);
	assert_near(point.upper, upper, tolerance);
}

static void test_survival_band_clopper_pearson_values_match(void **state)
{
	(void)state;
	assert_interval(10, 10, 0.05, 0, 0.3085, 0.00005);
	assert_interval(0, 10, 0.05, 0.6915, 1, 0.00005);
	assert_interval(5, 10, 0.05, 0.1871, 0.8129, 0.00005);
	assert_interval(90, 100, 0.05, 0.0490, 0.1762, 0.00005);
	assert_interval(59, 59, 0.10, 0, 1 - pow(0.05, 1. / 59), 1e-9);
	assert_interval(0, 1000, 0.001, pow(0.0005, 1. / 1000), 1, 1e-9);
}

/* Without censoring the band is the exact binomial interval, over however many ages the deaths are spread. */
static void test_survival_band_without_censoring_is_exact_binomial(void **state)
{
	(void)state;
	for (u32 n = 1; n <= 90; n += 1 + n / 3)
		for (u32 alive = 0; alive <= n; alive++) {
			struct lifetime lifetime = {0};
			struct survival survival;
			struct survival_point point;

			for (u32 i = alive; i < n; i++)
				die(&lifetime, i * 7 % 13, 1);
			end(&lifetime, 13, alive);
			survival = survival_of(&lifetime);
			survival_at(&survival, 13, 0.01, &point);
			assert_near(point.at_risk, alive, 1e-9);
			if (alive)
				assert_near(binomial_cdf(alive - 1, n, point.lower), 0.995, 1e-7);
			else
				assert_true(point.lower == 0);
			if (alive < n)
				assert_near(binomial_cdf(alive, n, point.upper), 0.005, 1e-7);
			else
				assert_true(point.upper == 1);
		}
}

static void test_survival_band_of_nothing_is_everything(void **state)
{
	struct survival survival = {0};
	struct survival_point point;

	(void)state;
	survival_at(&survival, 1, 0.001, &point);
	assert_true(point.estimate == 1 && point.lower == 0 && point.upper == 1 && point.at_risk == 0);
}

/* Nobody is left at age 4: the estimate stays, and what came after is not known but for its upper bound. */
static void test_survival_band_after_the_last_seen_reaches_zero(void **state)
{
	struct lifetime lifetime = {0};
	struct survival survival;
	struct survival_point last, after;

	(void)state;
	die(&lifetime, 1, 30);
	end(&lifetime, 3, 30);
	survival = survival_of(&lifetime);
	survival_at(&survival, 3, 0.001, &last);
	survival_at(&survival, 4, 0.001, &after);
	assert_true(last.lower > 0.2 && after.lower == 0);
	assert_true(after.estimate == 0.5 && after.upper == last.upper && after.at_risk == 0);
}

static void test_survival_band_four_thousand_million_deaths_stay_finite(void **state)
{
	struct lifetime lifetime = {.died = {UINT32_MAX, 7, UINT32_MAX}, .ended = {0, 0, 0, 0, UINT32_MAX}};
	struct survival survival = survival_of(&lifetime);
	struct survival_point point;

	(void)state;
	survival_at(&survival, 3, 0.001, &point);
	assert_near(point.estimate, 1. / 3, 1e-6);
	assert_true(point.lower < point.estimate && point.lower > point.estimate - 0.001);
	assert_true(point.upper > point.estimate && point.upper < point.estimate + 0.001);
}

/* --- against laws that are known ----------------------------------------------------------------------------------- */

static double draw_exponential(u64 *chance)
{
	return chance_exponential(chance, 20);
}

static double exponential_survives(double age)
{
	return exp(-age / 20);
}

static double draw_bimodal(u64 *chance)
{
	return chance_exponential(chance, chance_uniform(chance) < 0.6 ? 1.5 : 60);
}

static double bimodal_survives(double age)
{
	return 0.6 * exp(-age / 1.5) + 0.4 * exp(-age / 60);
}

/* Lomax: the mean is there, the variance is infinite. */
static double draw_heavy(u64 *chance)
{
	return 2 * (pow(chance_uniform(chance), -1 / 1.1) - 1);
}

static double heavy_survives(double age)
{
	return pow(1 + age / 2, -1.1);
}

static const struct law {
	const char *name;
	double (*draw)(u64 *chance);
	double (*survives)(double age);
} laws[] = {{"exponential", draw_exponential, exponential_survives},
	    {"bimodal", draw_bimodal, bimodal_survives},
	    {"heavy-tailed", draw_heavy, heavy_survives}};

#define AGE_MAX 4294967295u /* keep ages in 32 bits: nothing is asked of them beyond 2^20 */
#define OBJECTS 200
#define RISK	0.001

/*
 * 200 lives: of one size, or of five that weigh from 1 to 128; all seen to their deaths, or only until a moment of the
 * same law, which comes before the death for half of them.
 */
static void draw_site(const struct law *law, bool mixed, bool censored, u64 seed, struct survival *ret_survival)
{
	static const double weights[] = {16, 48, 128, 512, 2048};
	struct lifetime lifetimes[5] = {{0}};
	u64 chance = seed;

	for (u32 i = 0; i < OBJECTS; i++) {
		double death = fmin(law->draw(&chance), AGE_MAX),
		       last = censored ? fmin(law->draw(&chance), AGE_MAX) : AGE_MAX;
		struct lifetime *lifetime = &lifetimes[mixed ? chance_next(&chance) % 5 : 0];

		if (floor(death) <= floor(last))
			lifetime_death(lifetime, 0, (u32)death);
		else
			lifetime_end(lifetime, 0, (u32)last);
	}
	*ret_survival = (struct survival){0};
	for (u32 i = 0; i < 5; i++)
		survival_add(ret_survival, &lifetimes[i], weights[i]);
}

static bool holds(const struct survival_point *point, double truth)
{
	return point->lower <= truth && truth <= point->upper;
}

/* Seeds 1 to 8, every age up to 31 and every class end. */
static void test_survival_band_of_eight_seeds_holds_the_truth_at_every_age(void **state)
{
	static const u64 seeds[] = {1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	for (u32 variant = 0; variant < 12 * 8; variant++) {
		const struct law *law = &laws[variant % 3];
		struct survival survival;

		draw_site(law, variant / 3 % 2, variant / 6 % 2, seeds[variant / 12], &survival);
		for (u32 k = 1; k < LIFETIME_CLASSES; k++) {
			struct survival_point point;

			survival_at(&survival, k, RISK, &point);
			assert_true(point.lower <= point.estimate && point.estimate <= point.upper);
			if (!holds(&point, law->survives(lifetime_class_start(k))))
				fail_msg("%s, seed %u, age %u", law->name, variant / 12 + 1, lifetime_class_start(k));
		}
	}
}

/* Seeds 1 to 1000. */
static void check_coverage(const struct law *law, bool mixed, bool censored)
{
	u32 held[LIFETIME_CLASSES] = {0}, tried_ten = 0, held_ten = 0;

	for (u64 seed = 1; seed <= 1000; seed++) {
		struct survival survival;

		draw_site(law, mixed, censored, seed, &survival);
		for (u32 k = 1; k < LIFETIME_CLASSES; k++) {
			struct survival_point point;
			bool hit;

			survival_at(&survival, k, RISK, &point);
			hit = holds(&point, law->survives(lifetime_class_start(k)));
			held[k] += hit;
			tried_ten += point.at_risk >= 10;
			held_ten += hit && point.at_risk >= 10;
		}
	}
	printf("%s, %s sizes, %s: %.2f %% at 10 at risk or more; per age, in thousandths:", law->name,
	       mixed ? "mixed" : "equal", censored ? "half censored" : "all seen", 100.0 * held_ten / tried_ten);
	for (u32 k = 1; k < LIFETIME_CLASSES; k++)
		printf(" %u:%u", lifetime_class_start(k), held[k]);
	printf("\n");
	assert_true(tried_ten > 1000 && held_ten >= 0.995 * tried_ten);
	for (u32 k = 1; k < LIFETIME_CLASSES; k++)
		assert_true(held[k] >= 995);
}

static void test_survival_band_coverage_is_what_it_says(void **state)
{
	(void)state;
	for (u32 variant = 0; variant < 12; variant++)
		check_coverage(&laws[variant % 3], variant / 3 % 2, variant / 6 % 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_beta_cdf_binomial_sums_match),
		cmocka_unit_test(test_beta_cdf_closed_forms_match),
		cmocka_unit_test(test_beta_cdf_many_samples_stay_exact),
		cmocka_unit_test(test_beta_cdf_outside_is_0_or_1),
		cmocka_unit_test(test_beta_quantile_is_the_inverse),
		cmocka_unit_test(test_survival_remission_under_treatment_is_the_published_table),
		cmocka_unit_test(test_survival_remission_untreated_is_the_published_table),
		cmocka_unit_test(test_survival_equal_age_deaths_come_before_ends),
		cmocka_unit_test(test_survival_doubling_class_counts_ends_half),
		cmocka_unit_test(test_survival_weights_make_bytes_of_objects),
		cmocka_unit_test(test_survival_equal_weights_give_raw_counts),
		cmocka_unit_test(test_survival_median_is_interpolated),
		cmocka_unit_test(test_survival_median_not_reached_is_said),
		cmocka_unit_test(test_survival_band_clopper_pearson_values_match),
		cmocka_unit_test(test_survival_band_without_censoring_is_exact_binomial),
		cmocka_unit_test(test_survival_band_of_nothing_is_everything),
		cmocka_unit_test(test_survival_band_after_the_last_seen_reaches_zero),
		cmocka_unit_test(test_survival_band_four_thousand_million_deaths_stay_finite),
		cmocka_unit_test(test_survival_band_of_eight_seeds_holds_the_truth_at_every_age),
		cmocka_unit_test(test_survival_band_coverage_is_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
