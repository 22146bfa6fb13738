/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What -p names: one process by its name, several, none, and what is no process to trace; record and doctor say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/examination.h"

/* Both refuse it with these words and status 4, and record leaves no directory. */
static void assert_no_target(struct stage *stage, const char *name, const char *words)
{
	struct session *session = &stage->scene->session;

	assert_int_equal(session_run(session, stage->scene, (const char *const[]){"-p", name, NULL}), STATUS_TARGET);
	session_assert_said(session, words);
	assert_int_equal(access(session->output, F_OK), -1);
	examine(stage, "", format("-p '%s'", name), STATUS_TARGET);
	assert_said(stage, words);
}

static void test_process_that_has_ended_is_named_with_its_parent(void **state)
{
	pid_t child = fork();
	siginfo_t info;

	if (!child)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	assert_no_target(*state, format("%d", child),
			 format("has ended already, and waits for its parent %d (", getpid()));
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_no_target(*state, format("%d", child), format("no process %d (any more)", child));
}

static void test_process_of_the_kernel_is_named_so(void **state)
{
	char comm[16] = "";
	FILE *file = fopen("/proc/2/comm", "re");

	if (file && !fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	if (file)
		fclose(file);
	if (strcmp(comm, "kthreadd\n") != 0) {
		print_message("process 2 is no kernel thread: this is a PID namespace\n");
		skip();
	}
	assert_no_target(*state, "2", "process 2 (kthreadd) is a kernel thread: it runs no program and has no heap");
}

/* A program whose name no other process has. */
static const char *start_unique(struct stage *stage, struct child *child)
{
	const char *path = format("%s/ht%d", stage->scene->dir, getpid());

	if (access(path, X_OK))
		assert_int_equal(system(format("cp '%s' '%s'", beside("target_leak"), path)), 0);
	stage_start(child, NULL, (const char *const[]){path, "malloc", NULL});
	target_ready(child);
	return format("ht%d", getpid());
}

static void test_process_by_name_is_recorded(void **state)
{
	struct stage *stage = *state;
	struct session *session = &stage->scene->session;
	const char *name = start_unique(stage, &stage->scene->target);
	pid_t pid = stage->scene->target.pid; /* which target_finish forgets */

	session_start(session, stage->scene, (const char *const[]){"-R", "1", "-p", name, NULL});
	session_attached(session);
	target_go(&stage->scene->target);
	assert_int_equal(target_finish(&stage->scene->target), 0);
	assert_int_equal(session_finish(session), 0);
	session_assert_said(session, format("'%s' is pid %d", name, pid));
	cJSON_Delete(session_index(session));
}

static void test_process_name_of_several_lists_them(void **state)
{
	struct stage *stage = *state;
	const char *name = start_unique(stage, &stage->scene->more[0]);

	start_unique(stage, &stage->scene->more[1]);
	assert_no_target(stage, name, format("2 processes are named '%s'", name));
	for (int i = 0; i < 2; i++)
		assert_said(stage, format("heaptap:   %7d ", stage->scene->more[i].pid));
	assert_no_target(stage, format("x%s", name), format("(nearest: %s", name));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_process_that_has_ended_is_named_with_its_parent),
		TEST(test_process_of_the_kernel_is_named_so),
		TEST(test_process_by_name_is_recorded),
		TEST(test_process_name_of_several_lists_them),
	};

	return cmocka_run_group_tests_name("process_argument", tests, NULL, NULL);
}
