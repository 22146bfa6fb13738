/* SPDX-License-Identifier: GPL-2.0-or-later */
/* summary.c without memory for the figures: it says so, and not that there were none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "unit/base/capture.h"
#include "view/overview.h"

static int overview_make_nothing(const struct profile *profile, struct overview *ret_overview)
{
	*ret_overview = (struct overview){.profile = profile};
	return -ENOMEM;
}

#define overview_make overview_make_nothing

#include "record/summary.c"

static void test_summary_without_memory_says_so(void **state)
{
	struct profile *profile = calloc(1, sizeof(*profile));
	struct aggregate_result result = {0};
	struct summary summary = {0};
	struct capture said;

	(void)state;
	assert_non_null(profile);
	summary_add(&summary, profile);
	assert_int_equal(index_table_add(&result.processes, profile, NULL), 0);
	capture_begin(&said, stderr);
	summary_print(&summary, &result);
	capture_end(&said);
	assert_non_null(strstr(said.text, "no memory for the summary"));
	assert_null(strstr(said.text, "no sample"));
	index_table_release(&result.processes);
	summary_release(&summary);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_summary_without_memory_says_so),
	};

	return cmocka_run_group_tests_name("summary, no memory", tests, NULL, NULL);
}
