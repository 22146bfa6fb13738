/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each way of attaching, forced, is as exact as any other, on a running process and on a command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/exact.h"

#define RUNG(rung)                                                                                                     \
	static void test_attach_by_##rung##_equals_shim(void **state)                                                  \
	{                                                                                                              \
		exact_attach(*state, #rung, (const char *const[]){beside("target_functions"), NULL});                  \
	}                                                                                                              \
	static void test_command_by_##rung##_equals_shim(void **state)                                                 \
	{                                                                                                              \
		exact_command(*state, #rung, (const char *const[]){beside("target_functions"), NULL});                 \
	}
RUNG(session)
RUNG(multi)
RUNG(perf)

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_attach_by_session_equals_shim), TEST(test_command_by_session_equals_shim),
		TEST(test_attach_by_multi_equals_shim),	  TEST(test_command_by_multi_equals_shim),
		TEST(test_attach_by_perf_equals_shim),	  TEST(test_command_by_perf_equals_shim),
	};

	return cmocka_run_group_tests_name("rungs", tests, NULL, NULL);
}
