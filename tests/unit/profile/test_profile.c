/* SPDX-License-Identifier: GPL-2.0-or-later */
/* profile.c: release and sums. */
#include "golden.h"

/* --- release --- */

static void test_profile_free_null_and_half_built_are_harmless(void **state)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	(void)state;
	profile_free(NULL);
	profile->mapping_count = profile->location_count = profile->sample_count = 5;
	profile_free(profile);
	profile = calloc(1, sizeof(*profile));
	profile->location_count = 2;
	profile->locations = calloc(2, sizeof(*profile->locations));
	profile->locations[0].line_count = 3;
	profile->locations[1].line_count = 1;
	profile->locations[1].lines = calloc(1, sizeof(struct profile_line));
	profile->locations[1].lines->function = profile->locations[1].lines->system_name = (char *)"shared";
	profile_free(profile);
}

/* --- sums --- */

static void test_profile_totals_sum_the_truncated_estimates(void **state)
{
	struct profile profile = golden_small();
	u64 total[MEASURE_MAX], value[MEASURE_MAX];

	(void)state;
	profile_sample_values(&profile, &profile.samples[0], value);
	assert_int_equal(value[ALLOC_OBJECTS], 2050);
	assert_int_equal(value[ALLOC_SPACE], 2099200);
	assert_int_equal(value[INUSE_OBJECTS], 1537);
	assert_int_equal(value[INUSE_SPACE], 1574400);
	profile_totals(&profile, total);
	assert_int_equal(total[ALLOC_OBJECTS], 2050 + 1 + 163845 + 524288 + 16385);
	assert_int_equal(total[ALLOC_SPACE], 2099200 + 829411 + 5243040 + 0 + 1048640);
	assert_int_equal(total[INUSE_OBJECTS], 1537 + 0 + 163845 + 524288 + 8192);
	assert_int_equal(total[INUSE_SPACE], 1574400 + 0 + 5243040 + 0 + 524320);
}

static void test_profile_totals_alloc_only_has_nothing_in_use(void **state)
{
	struct profile profile = golden_alloc_only();
	u64 total[MEASURE_MAX];

	(void)state;
	profile_totals(&profile, total);
	assert_int_equal(total[ALLOC_SPACE], 2099200 + 829411 + 5243040 + 0 + 1048640);
	assert_int_equal(total[INUSE_OBJECTS], 0);
	assert_int_equal(total[INUSE_SPACE], 0);
}

static void test_profile_totals_empty_is_zero(void **state)
{
	struct profile profile = golden_empty();
	u64 total[MEASURE_MAX] = {1, 1, 1, 1};

	(void)state;
	profile_totals(&profile, total);
	for (int m = 0; m < MEASURE_MAX; m++)
		assert_int_equal(total[m], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profile_free_null_and_half_built_are_harmless),
		cmocka_unit_test(test_profile_totals_sum_the_truncated_estimates),
		cmocka_unit_test(test_profile_totals_alloc_only_has_nothing_in_use),
		cmocka_unit_test(test_profile_totals_empty_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
