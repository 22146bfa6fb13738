/* SPDX-License-Identifier: GPL-2.0-or-later */
/* overcommit.c: what operator new may ask for without failing. Run where the kernel overcommits, as nearly everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "system/overcommit.h"

#define GIB (1u << 30)

static u32 without_strictness(u32 limit)
{
	FILE *file = fopen("/proc/sys/vm/overcommit_memory", "re");
	int policy = file ? getc(file) : '2';

	if (file)
		fclose(file);
	return policy == '2' ? 0 : limit;
}

static void test_newlimit_without_a_cgroup_limit_is_a_gibibyte(void **state)
{
	(void)state;
	assert_int_equal(overcommit_new_max(0, 0), without_strictness(GIB));
	assert_int_equal(overcommit_new_max(8ULL * GIB, GIB), without_strictness(GIB));
}

static void test_newlimit_is_what_the_cgroup_leaves(void **state)
{
	(void)state;
	assert_int_equal(overcommit_new_max(GIB, GIB - 4096), without_strictness(4096));
	assert_int_equal(overcommit_new_max(2ULL * GIB, GIB + 1), without_strictness(GIB - 1));
}

static void test_newlimit_of_a_full_cgroup_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(overcommit_new_max(GIB, GIB), 0);
	assert_int_equal(overcommit_new_max(GIB, 2ULL * GIB), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_newlimit_without_a_cgroup_limit_is_a_gibibyte),
		cmocka_unit_test(test_newlimit_is_what_the_cgroup_leaves),
		cmocka_unit_test(test_newlimit_of_a_full_cgroup_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
