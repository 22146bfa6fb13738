/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * survival.c against laws that are known: how often the 99.9 % band holds the truth. All seeds are fixed, so nothing here
 * is left to chance.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "profile/survival.h"
#include "chance.h"

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
			lifetime_death(lifetime, (struct lifetime_time){0},
				       (struct lifetime_time){(u32)death, (u32)death});
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
		cmocka_unit_test(test_survival_band_of_eight_seeds_holds_the_truth_at_every_age),
		cmocka_unit_test(test_survival_band_coverage_is_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
