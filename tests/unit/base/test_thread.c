/* SPDX-License-Identifier: GPL-2.0-or-later */
/* thread.c: whoever is started, and whenever, has the priority that the program was started with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/thread.h"

#define STARTED_WITH 5

static void note_priority(void *arg)
{
	*(int *)arg = getpriority(PRIO_PROCESS, 0);
}

static int priority_of_thread(void)
{
	struct thread thread = {0};
	int priority = -100;

	assert_int_equal(thread_start(&thread, note_priority, &priority), 0);
	thread_finish(&thread);
	return priority;
}

static void test_thread_has_the_priority_that_the_program_was_started_with(void **state)
{
	(void)state;
	assert_int_equal(setpriority(PRIO_PROCESS, 0, STARTED_WITH), 0);
	assert_int_equal(priority_of_thread(), STARTED_WITH);
	thread_raise_priority();
	assert_int_equal(priority_of_thread(), STARTED_WITH);
	thread_lower_priority();
	assert_int_equal(getpriority(PRIO_PROCESS, 0), STARTED_WITH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thread_has_the_priority_that_the_program_was_started_with),
	};

	return cmocka_run_group_tests_name("thread", tests, NULL, NULL);
}
