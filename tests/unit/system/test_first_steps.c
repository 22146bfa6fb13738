/* SPDX-License-Identifier: GPL-2.0-or-later */
/* first_steps.c, by way of workload.c: what is seen of a program before it runs, and that it runs as it would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "system/first_steps.h"
#include "system/workload.h"

struct look {
	unsigned int stops, enough; /* how often it was asked, and after how many times that is enough */
	bool executed;		    /* at the first one it ran the program already */
};

static int look(pid_t pid, void *arg)
{
	struct look *seen = arg;
	char path[64], exe[256] = "";

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (!seen->stops++)
		seen->executed = readlink(path, exe, sizeof(exe) - 1) > 0 && !strstr(exe, "test_first_steps");
	return seen->stops == seen->enough;
}

static void start(char *const *argv, struct workload *ret_workload)
{
	sigset_t mask;

	sigemptyset(&mask);
	assert_int_equal(workload_start(argv, argv[0], &mask, NULL, ret_workload), 0);
}

static int run(char *const *argv, struct look *seen)
{
	const struct first_steps steps = {.look = look, .arg = seen};
	struct workload workload;
	int err;

	start(argv, &workload);
	err = workload_release(&workload, &steps);
	return err ? err : workload_status(&workload, 1);
}

static char *exits_with_3[] = {(char *)"/bin/sh", (char *)"-c", (char *)"exit 3", NULL};

static void test_it_is_watched_from_its_exec_on_until_that_is_enough(void **state)
{
	struct look seen = {.enough = 5};

	(void)state;
	assert_int_equal(run(exits_with_3, &seen), 3);
	assert_int_equal(seen.stops, 5);
	assert_true(seen.executed);
}

/* Its loader alone makes some 20 system calls. */
static void test_it_ends_while_it_is_watched(void **state)
{
	struct look seen = {.enough = 0};

	(void)state;
	assert_int_equal(run(exits_with_3, &seen), 3);
	assert_true(seen.stops > 40);
}

static void test_exec_that_fails_is_told(void **state)
{
	char *const argv[] = {(char *)"/dev/null", NULL};
	struct look seen = {.enough = 1};

	(void)state;
	assert_int_equal(run(argv, &seen), -EACCES);
	assert_int_equal(seen.stops, 0);
}

/* Also one that it sends itself: it is ended by it, and the status says so. */
static void test_signals_reach_it(void **state)
{
	char *const argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)"trap 'exit 4' USR1; kill -USR1 $$; exit 5",
			      NULL};
	char *const dies[] = {(char *)"/bin/sh", (char *)"-c", (char *)"kill -TERM $$", NULL};
	struct look seen = {.enough = 0};

	(void)state;
	assert_int_equal(run(argv, &seen), 4);
	assert_int_equal(run(dies, &seen), 128 + SIGTERM);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_watched_from_its_exec_on_until_that_is_enough),
		cmocka_unit_test(test_it_ends_while_it_is_watched),
		cmocka_unit_test(test_exec_that_fails_is_told),
		cmocka_unit_test(test_signals_reach_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
