/* SPDX-License-Identifier: GPL-2.0-or-later */
/* survival.c: a published table to the digit, and exact binomial intervals against binomial sums. */
#include "binomial.h"

#include "profile/survival.h"

static void die(struct lifetime *lifetime, u32 age, u32 count)
{
	while (count--)
		lifetime_death(lifetime, (struct lifetime_time){0}, (struct lifetime_time){age, age});
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

/* No object is left at age 4: the estimate stays, and only an upper bound is known for later ages. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
