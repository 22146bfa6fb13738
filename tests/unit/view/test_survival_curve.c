/* SPDX-License-Identifier: GPL-2.0-or-later */
/* survival_curve.c: points are those of profile/survival.h, of the whole and of each site. */
#include <math.h>

#include "unit/profile/golden.h"

#include "view/survival_curve.h"

static void check_shape(const struct survival_curve *curve)
{
	assert_in_range(curve->count, 1, LIFETIME_CLASSES);
	assert_true(curve->points[0].estimate == 1);
	for (u32 i = 0; i < curve->count; i++) {
		const struct survival_curve_point *point = &curve->points[i];

		assert_true(point->lower <= point->estimate && point->estimate <= point->upper);
		assert_true(point->at_risk > 0 || (i + 1 == curve->count && point->estimate < point[-1].estimate));
		if (!i)
			continue;
		assert_true(point->estimate <= point[-1].estimate);
		assert_true(point->age_cycles > point[-1].age_cycles && point->age_ns >= point[-1].age_ns);
	}
}

static void test_curve_of_each_site_says_what_its_summary_says(void **state)
{
	struct profile profile = golden_living();
	struct survival_curve *curves;
	struct profile_site *sites;
	u32 count;

	(void)state;
	assert_int_equal(profile_sites(&profile, ALLOC_SPACE, &sites, &count), 0);
	assert_int_equal(survival_curves_make(&profile, sites, count, &curves), 0);
	for (u32 i = 0; i < count; i++) {
		const struct lifetime_summary *summary = &sites[i].lifetime_summary;

		check_shape(&curves[i]);
		if (summary->objects.young.at_risk > 0)
			assert_memory_equal(&curves[i].points[1].estimate, &summary->objects.young.estimate,
					    4 * sizeof(double));
		else
			assert_in_range(curves[i].count, 1, 2);
		assert_true(isnan(curves[i].median_cycles) == isnan(summary->objects.median_cycles));
		if (!isnan(curves[i].median_cycles)) {
			assert_true(curves[i].median_cycles == summary->objects.median_cycles);
			assert_true(fabs(curves[i].median_ns - curves[i].median_cycles * 1e8) < 1);
		}
	}
	free(curves);
	free(sites);
}

/* What lives for three cycles: nothing dies before, all that could be seen to die has died then. */
static void test_curve_of_objects_that_live_three_cycles(void **state)
{
	struct profile profile = golden_living();
	struct survival_curve *curves;
	const struct survival_curve *curve;
	struct profile_site *sites;
	u32 count, vdso = 0;

	(void)state;
	assert_int_equal(profile_sites(&profile, ALLOC_SPACE, &sites, &count), 0);
	assert_int_equal(survival_curves_make(&profile, sites, count, &curves), 0);
	for (u32 i = 0; i < count; i++)
		if (sites[i].location == &profile.locations[VDSO])
			vdso = i;
	curve = &curves[vdso];
	assert_int_equal(curve->count, 5);
	assert_true(curve->points[4].at_risk == 0 && curve->points[4].estimate < 0.05);
	assert_true(curve->points[3].estimate == 1);
	assert_true(curve->median_cycles > 3 && curve->median_cycles <= 4);
	assert_int_equal(curve->points[3].age_ns, 250000000);
	free(curves);
	free(sites);
}

static void test_curve_of_the_whole_process(void **state)
{
	struct profile living = golden_living(), without = golden_small();
	struct survival_curve curve;

	(void)state;
	survival_curve_make(&living, &curve);
	check_shape(&curve);
	survival_curve_make(&without, &curve);
	assert_int_equal(curve.count, 0);
	assert_true(isnan(curve.median_ns));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_curve_of_each_site_says_what_its_summary_says),
		cmocka_unit_test(test_curve_of_objects_that_live_three_cycles),
		cmocka_unit_test(test_curve_of_the_whole_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
