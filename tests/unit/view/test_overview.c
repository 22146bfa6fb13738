/* SPDX-License-Identifier: GPL-2.0-or-later */
/* overview.c: by which measure sites stand, and which are left out. */
#include "unit/profile/golden.h"

#include "view/overview.h"

static void check_order(const struct profile *profile, enum measure by, u32 count)
{
	struct overview overview;

	assert_int_equal(overview_make_by(profile, by, &overview), 0);
	assert_int_equal(overview.by, by);
	assert_int_equal(overview.site_count, count);
	for (u32 i = 0; i < count; i++) {
		assert_true(overview.sites[i].value[by] > 0);
		assert_true(!i || overview.sites[i - 1].value[by] >= overview.sites[i].value[by]);
	}
	overview_release(&overview);
}

/* The vdso's site has objects of size 0: it is a site by objects, and none by bytes. */
static void test_overview_has_the_sites_with_any_of_the_measure(void **state)
{
	struct profile profile = golden_small();

	(void)state;
	check_order(&profile, INUSE_SPACE, 3);
	check_order(&profile, INUSE_OBJECTS, 4);
	check_order(&profile, ALLOC_SPACE, 3);
	check_order(&profile, ALLOC_OBJECTS, 4);
}

static void test_overview_chooses_what_is_allocated_where_in_use_is_not_known(void **state)
{
	struct profile profile = golden_small(), allocations = golden_alloc_only();
	struct overview overview;

	(void)state;
	assert_int_equal(overview_make(&profile, &overview), 0);
	assert_int_equal(overview.by, INUSE_SPACE);
	overview_release(&overview);
	assert_int_equal(overview_make(&allocations, &overview), 0);
	assert_int_equal(overview.by, ALLOC_SPACE);
	overview_release(&overview);
}

static void test_overview_names_what_grows(void **state)
{
	struct profile profile = golden_living();
	struct overview overview;

	(void)state;
	assert_int_equal(overview_make(&profile, &overview), 0);
	assert_int_equal(overview.growing_count, 1);
	assert_string_equal(profile_site_line(overview.growing[0])->function, "make_node");
	assert_int_equal(overview.process.verdict, VERDICT_GROWING);
	overview_release(&overview);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_overview_has_the_sites_with_any_of_the_measure),
		cmocka_unit_test(test_overview_chooses_what_is_allocated_where_in_use_is_not_known),
		cmocka_unit_test(test_overview_names_what_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
