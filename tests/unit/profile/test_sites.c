/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sites.c: what makes one site, their order, and their standard errors. */
#include <math.h>

#include "golden.h"
#include "profile/sites.h"
#include "profile/estimate.h"

static void test_profile_sites_small_profile_groups_by_function_and_line(void **state)
{
	struct profile profile = golden_small();
	struct profile_site *sites;
	u32 count;

	(void)state;
	assert_int_equal(profile_sites(&profile, INUSE_SPACE, &sites, &count), 0);
	assert_int_equal(count, 4);
	assert_ptr_equal(sites[0].location, &profile.locations[GROW]);
	assert_ptr_equal(sites[1].location, &profile.locations[INLINED]);
	assert_null(sites[2].location);
	assert_ptr_equal(sites[3].location, &profile.locations[VDSO]);
	assert_int_equal(sites[1].value[ALLOC_SPACE], 2099200 + 829411);
	assert_int_equal(sites[1].value[INUSE_OBJECTS], 1537);
	assert_int_equal(sites[1].alloc_samples, 5);
	assert_int_equal(sites[1].inuse_samples, 3);
	assert_ptr_equal(sites[1].example, &profile.samples[0]);
	free(sites);
}

static void test_profile_sites_standard_error_is_root_of_summed_variances(void **state)
{
	struct profile profile = golden_small();
	struct profile_site *sites;
	u32 count;
	double alloc;

	(void)state;
	alloc = estimate_variance_bytes(4, 1024, 524288, 0) + estimate_variance_bytes(1, 524288, 524288, 0);
	assert_int_equal(profile_sites(&profile, INUSE_SPACE, &sites, &count), 0);
	assert_true(fabs(sites[1].stderr_value[ALLOC_SPACE] - sqrt(alloc)) < 1e-3);
	assert_true(fabs(sites[1].stderr_value[INUSE_OBJECTS] - sqrt(estimate_variance_objects(3, 1024, 524288, 0))) <
		    1e-6);
	assert_true(sites[1].stderr_value[INUSE_SPACE] < sites[1].stderr_value[ALLOC_SPACE]);
	free(sites);
}

static void test_profile_sites_measure_decides_order_and_example(void **state)
{
	struct profile profile = golden_small();
	struct profile_site *sites;
	u32 count;

	(void)state;
	assert_int_equal(profile_sites(&profile, ALLOC_OBJECTS, &sites, &count), 0);
	assert_ptr_equal(sites[0].location, &profile.locations[VDSO]);
	for (u32 i = 1; i < count; i++)
		assert_true(sites[i - 1].value[ALLOC_OBJECTS] >= sites[i].value[ALLOC_OBJECTS]);
	free(sites);
}

static void test_profile_sites_alloc_only_counts_nothing_in_use(void **state)
{
	struct profile profile = golden_alloc_only();
	struct profile_site *sites;
	u32 count;

	(void)state;
	assert_int_equal(profile_sites(&profile, ALLOC_SPACE, &sites, &count), 0);
	assert_int_equal(count, 4);
	for (u32 i = 0; i < count; i++) {
		assert_int_equal(sites[i].inuse_samples, 0);
		assert_int_equal(sites[i].value[INUSE_SPACE], 0);
		assert_true(sites[i].stderr_value[INUSE_SPACE] == 0.0);
	}
	free(sites);
}

/* Two call sites on one line are one site; another line, another function or another unnamed address is another one. */
static void test_profile_sites_same_line_merges_other_lines_do_not(void **state)
{
	struct profile_line here = {(char *)"f", (char *)"f", (char *)"f.c", 5, 1, FRAME_PROGRAM};
	struct profile_line there = {(char *)"f", (char *)"f", (char *)"f.c", 6, 1, FRAME_PROGRAM};
	struct profile_line other = {(char *)"f", (char *)"_Z1fi", (char *)"f.c", 5, 1, FRAME_PROGRAM};
	struct profile_location locations[] = {
		{.address = 1, .line_count = 1, .lines = &here},
		{.address = 2, .line_count = 1, .lines = &there},
		{.address = 3, .line_count = 1, .lines = &here},
		{.address = 4, .line_count = 1, .lines = &other},
		{.address = 5},
		{.address = 6},
	};
	u32 index[] = {0, 1, 2, 3, 4, 5};
	struct profile_sample samples[6];
	struct profile profile = {
		.sample_bytes = 1, .locations = locations, .location_count = 6, .samples = samples, .sample_count = 6};
	struct profile_site *sites;
	u32 count;

	(void)state;
	for (u32 i = 0; i < 6; i++)
		samples[i] =
			(struct profile_sample){.location = &index[i], .depth = 1, .size = 10, .alloc_count = i + 1};
	assert_int_equal(profile_sites(&profile, ALLOC_SPACE, &sites, &count), 0);
	assert_int_equal(count, 5);
	for (u32 i = 0; i < count; i++)
		if (sites[i].location == &locations[2])
			assert_int_equal(sites[i].value[ALLOC_SPACE], 10 + 30);
	assert_int_equal(sites[0].value[ALLOC_SPACE], 60);
	free(sites);
}

static void test_profile_sites_empty_profile_has_none(void **state)
{
	struct profile profile = golden_empty();
	struct profile_site *sites;
	u32 count = 1;

	(void)state;
	assert_int_equal(profile_sites(&profile, INUSE_SPACE, &sites, &count), 0);
	assert_int_equal(count, 0);
	free(sites);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profile_sites_small_profile_groups_by_function_and_line),
		cmocka_unit_test(test_profile_sites_standard_error_is_root_of_summed_variances),
		cmocka_unit_test(test_profile_sites_measure_decides_order_and_example),
		cmocka_unit_test(test_profile_sites_alloc_only_counts_nothing_in_use),
		cmocka_unit_test(test_profile_sites_same_line_merges_other_lines_do_not),
		cmocka_unit_test(test_profile_sites_empty_profile_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
