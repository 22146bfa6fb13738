/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table_profile.c without memory: what is missing is said where it would stand, and the caller is told. */
#define profile_sites no_sites
#include "unit/profile/golden.h"

#include "format/table_profile.c"

#include "printed.h"

int no_sites(const struct profile *profile, enum measure by, struct profile_site **ret_sites, u32 *ret_count)
{
	(void)profile;
	(void)by;
	(void)ret_sites;
	(void)ret_count;
	return -ENOMEM;
}

static void test_table_without_sites_is_not_whole(void **state)
{
	const struct profile profile = golden_small();
	const struct table_view view = {.top = 20};
	struct printed printed;
	char *text;

	(void)state;
	assert_int_equal(table_profile_print(&profile, INUSE_SPACE, &view, printed_open(&printed)), -ENOMEM);
	text = printed_close(&printed);
	assert_non_null(strstr(text, "\n(no memory for the table of sites)\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_without_sites_is_not_whole),
	};

	return cmocka_run_group_tests_name("table without memory", tests, NULL, NULL);
}
