/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process_state.c: what a number is that cannot be traced. */
#include "child_process.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "system/process_state.h"
#include "system/procfs.h"

static char why[PROCESS_STATE_TEXT_MAX];

static void assert_refused(pid_t pid, const char *sentence)
{
	assert_false(process_state_allows(pid, why));
	assert_string_equal(why, sentence);
}

static void test_state_of_a_process_that_runs_is_right(void **state)
{
	pid_t child = sleeping_child();

	(void)state;
	assert_true(process_state_allows(child, why));
	assert_string_equal(why, "");
	end_child(child);
}

static void test_state_of_a_zombie_names_its_parent(void **state)
{
	pid_t child = zombie_child();
	char sentence[256], comm[16];

	(void)state;
	assert_int_equal(procfs_comm(getpid(), comm), 0);
	snprintf(
		sentence, sizeof(sentence),
		"process %d (%s) has ended already, and waits for its parent %d (%s) to ask for its status; there is nothing to "
		"trace",
		child, comm, getpid(), comm);
	assert_refused(child, sentence);
	end_child(child);
}

static void test_state_of_none_points_to_names(void **state)
{
	pid_t child = zombie_child();
	char sentence[128];

	(void)state;
	end_child(child);
	snprintf(sentence, sizeof(sentence), "no process %d (any more); -p NAME finds one by name", child);
	assert_refused(child, sentence);
}

static void test_state_of_a_kernel_thread_says_so(void **state)
{
	char comm[16] = "";

	(void)state;
	procfs_comm(2, comm);
	if (strcmp(comm, "kthreadd") != 0) {
		print_message("process 2 is no kernel thread: this is a PID namespace\n");
		skip();
	}
	assert_refused(2, "process 2 (kthreadd) is a kernel thread: it runs no program and has no heap");
}

static _Noreturn void wait_for_the_end(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

/* Its parent tells its number by a pipe, and both end with the test. */
static pid_t child_in_namespace(pid_t *ret_middle)
{
	int fds[2];
	pid_t inner = 0;

	assert_int_equal(pipe(fds), 0);
	*ret_middle = fork();
	if (!*ret_middle) {
		if (unshare(CLONE_NEWPID) || (inner = fork()) < 0)
			inner = 0;
		else if (!inner)
			wait_for_the_end();
		if (write(fds[1], &inner, sizeof(inner)) != sizeof(inner))
			_exit(1);
		wait_for_the_end();
	}
	assert_true(*ret_middle > 0);
	assert_int_equal(read(fds[0], &inner, sizeof(inner)), sizeof(inner));
	close(fds[0]);
	close(fds[1]);
	return inner;
}

/* 1 is the number that the first process of every container has inside of its namespace. */
static void test_inner_number_is_that_of_the_innermost_namespace(void **state)
{
	pid_t middle, child = child_in_namespace(&middle);

	(void)state;
	assert_int_equal(procfs_inner_pid(middle), 0);
	if (child) {
		assert_int_equal(procfs_inner_pid(child), 1);
		kill(child, SIGKILL);
	}
	end_child(middle);
	if (!child) {
		print_message("no PID namespace can be made: that takes root\n");
		skip();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_state_of_a_process_that_runs_is_right),
		cmocka_unit_test(test_state_of_a_zombie_names_its_parent),
		cmocka_unit_test(test_state_of_none_points_to_names),
		cmocka_unit_test(test_state_of_a_kernel_thread_says_so),
		cmocka_unit_test(test_inner_number_is_that_of_the_innermost_namespace),
	};

	return cmocka_run_group_tests_name("process_state", tests, NULL, NULL);
}
