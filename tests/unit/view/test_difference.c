/* SPDX-License-Identifier: GPL-2.0-or-later */
/* difference.c: what has become of each site, and sums. */
#include <math.h>

#include "unit/profile/golden.h"

#include "view/difference.h"

static const struct difference_site *find(const struct difference *difference, const char *function)
{
	for (u32 i = 0; i < difference->count; i++)
		if (!strcmp(difference->sites[i].name.function, function))
			return &difference->sites[i];
	fail_msg("no site of '%s'", function);
	return NULL;
}

static void check_sum(const struct difference *difference)
{
	u64 before[MEASURE_MAX], after[MEASURE_MAX];
	double sites;

	profile_totals(difference->before, before);
	profile_totals(difference->after, after);
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		sites = 0;
		for (u32 i = 0; i < difference->count; i++)
			sites += difference->sites[i].change[m];
		assert_true(difference->sum.change[m] == (double)after[m] - (double)before[m]);
		assert_true(difference->sum.change[m] == sites);
	}
}

static void test_difference_says_what_has_become_of_a_site(void **state)
{
	struct profile before = golden_all_live(), after = golden_small();
	struct difference difference;

	(void)state;
	assert_int_equal(difference_make(&before, &after, &difference), 0);
	check_sum(&difference);
	assert_int_equal(difference.count, 4);
	assert_int_equal(find(&difference, "build_list")->state, DIFFERENCE_SHRUNK);
	assert_int_equal(find(&difference, "_ZN2ns4listIiE4growEm")->state, DIFFERENCE_NEW);
	assert_null(find(&difference, "_ZN2ns4listIiE4growEm")->before);
	assert_int_equal(find(&difference, "")->state, DIFFERENCE_NEW);
	/* Objects of size 0: no byte more than before. */
	assert_int_equal(find(&difference, "[vdso]+0xa10")->state, DIFFERENCE_SAME);
	difference_release(&difference);
	assert_int_equal(difference_make(&after, &before, &difference), 0);
	check_sum(&difference);
	assert_int_equal(find(&difference, "build_list")->state, DIFFERENCE_GROWN);
	assert_int_equal(find(&difference, "_ZN2ns4listIiE4growEm")->state, DIFFERENCE_GONE);
	assert_string_equal(difference_state_name(DIFFERENCE_GONE), "gone");
	difference_release(&difference);
}

/* Where nothing is known of what is in use, what was allocated says it. */
static void test_difference_of_allocations_goes_by_what_was_allocated(void **state)
{
	struct profile before = golden_alloc_only(), after = golden_alloc_only();
	struct profile_sample changed[5];
	struct difference difference;

	(void)state;
	memcpy(changed, after.samples, sizeof(changed));
	changed[2].alloc_count++;
	after.samples = changed;
	assert_int_equal(difference_make(&before, &after, &difference), 0);
	check_sum(&difference);
	assert_int_equal(find(&difference, "_ZN2ns4listIiE4growEm")->state, DIFFERENCE_GROWN);
	assert_ptr_equal(find(&difference, "_ZN2ns4listIiE4growEm"), &difference.sites[0]);
	assert_int_equal(find(&difference, "build_list")->state, DIFFERENCE_SAME);
	difference_release(&difference);
}

/* All that is in use according to one of them would be the change. */
static void test_difference_with_allocations_is_sorted_by_what_was_allocated(void **state)
{
	struct profile before = golden_small(), after = golden_small();
	struct profile_sample changed[5], unfreed[5];
	struct difference difference;

	(void)state;
	memcpy(unfreed, before.samples, sizeof(unfreed));
	for (u32 i = 0; i < 5; i++)
		unfreed[i].inuse_count = 0;
	memcpy(changed, unfreed, sizeof(changed));
	changed[0].alloc_count++;
	after.samples = changed;
	after.alloc_only = true;
	assert_int_equal(difference_make(&before, &after, &difference), 0);
	check_sum(&difference);
	assert_ptr_equal(find(&difference, "build_list"), &difference.sites[0]);
	difference_release(&difference);
}

/* Independent samples: variances add up. */
static void test_difference_has_the_error_of_both(void **state)
{
	struct profile before = golden_small(), after = golden_small();
	const struct difference_site *site;
	struct difference difference;

	(void)state;
	assert_int_equal(difference_make(&before, &after, &difference), 0);
	site = find(&difference, "build_list");
	assert_true(fabs(site->change_error[ALLOC_SPACE] - sqrt(2) * site->before->stderr_value[ALLOC_SPACE]) < 1e-3);
	assert_true(site->change[ALLOC_SPACE] == 0);
	assert_int_equal(site->state, DIFFERENCE_SAME);
	difference_release(&difference);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_difference_says_what_has_become_of_a_site),
		cmocka_unit_test(test_difference_of_allocations_goes_by_what_was_allocated),
		cmocka_unit_test(test_difference_with_allocations_is_sorted_by_what_was_allocated),
		cmocka_unit_test(test_difference_has_the_error_of_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
