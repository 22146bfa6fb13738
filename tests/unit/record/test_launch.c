/* SPDX-License-Identifier: GPL-2.0-or-later */
/* launch.c: COMMAND that cannot be started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/types.h>

static pid_t no_process(void)
{
	errno = EAGAIN;
	return -1;
}

#define fork no_process
#include "system/workload.c"
#undef fork

#include "base/status.h"
#include "record/launch.h"

static void test_launch_without_a_process_leaves_nothing_to_free_twice(void **state)
{
	char *command[] = {(char *)"true", NULL};
	const struct selection_options options = {.command = command};
	const struct selection selection = {.options = &options};
	struct launch launch = {0};
	sigset_t mask;

	(void)state;
	sigemptyset(&mask);
	assert_int_equal(launch_start(&selection, 1, &mask, &launch), STATUS_COMMAND_FAILED);
	assert_false(launch.started);
	assert_null(launch.command.path);
	launch_free(&launch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_launch_without_a_process_leaves_nothing_to_free_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
