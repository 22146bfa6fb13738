/* SPDX-License-Identifier: GPL-2.0-or-later */
/* process_argument.c, and system/process_name.c below it: one process has the name, several, or none. */
#include "cli_scene.h"

#include <sys/prctl.h>

#include "base/log.h"
#include "cli/process_argument.h"
#include "unit/system/child_process.h"

/* A name that no other process has. */
static const char *name(void)
{
	static char text[16];

	snprintf(text, sizeof(text), "ht-%d", getpid());
	return text;
}

static pid_t named_child(void)
{
	int fds[2];
	pid_t child;
	const char *own_name = name(); /* before the fork: it has the number of the test */
	char byte;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, own_name);
		if (write(fds[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(child > 0);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	close(fds[0]);
	close(fds[1]);
	return child;
}

static int resolve(struct scene *scene, const char *line)
{
	int status;

	accept(scene, line);
	capture_begin(&scene->err, stderr);
	status = process_argument_resolve(&scene->options);
	scene->err_text = capture_end(&scene->err);
	return status;
}

static void test_name_of_one_process_is_taken_and_said(void **state)
{
	struct scene *scene = *state;
	pid_t child = named_child();
	char line[64], said[64];

	snprintf(line, sizeof(line), "doctor -p %s,%s", name(), name());
	assert_int_equal(resolve(scene, line), STATUS_DONE);
	assert_int_equal(scene->options.record.tracing.target.pid_count, 1);
	assert_int_equal(scene->options.record.tracing.target.pids[0], child);
	snprintf(said, sizeof(said), "heaptap: '%s' is pid %d\n", name(), child);
	assert_memory_equal(scene->err_text, said, strlen(said));
	end_child(child);
}

static void test_name_of_several_processes_lists_them(void **state)
{
	struct scene *scene = *state;
	pid_t one = named_child(), other = named_child();
	char line[64], said[128];

	snprintf(line, sizeof(line), "record -p %s", name());
	assert_int_equal(resolve(scene, line), STATUS_NO_TARGET);
	assert_int_equal(scene->options.record.tracing.target.pid_count, 0);
	snprintf(said, sizeof(said), "heaptap: 2 processes are named '%s'; name one by its number, or all: -p ",
		 name());
	assert_memory_equal(scene->err_text, said, strlen(said));
	for (int i = 0; i < 2; i++) {
		snprintf(said, sizeof(said), "\nheaptap:   %7d ", i ? one : other);
		assert_non_null(strstr(scene->err_text, said));
	}
	assert_non_null(strstr(scene->err_text, "iB  "));
	assert_non_null(strstr(scene->err_text, "test_process_argument\n"));
	end_child(one);
	end_child(other);
}

static void test_name_of_none_gets_the_nearest(void **state)
{
	struct scene *scene = *state;
	pid_t child = named_child();
	char line[64], said[128];

	snprintf(line, sizeof(line), "record -p x%s", name());
	assert_int_equal(resolve(scene, line), STATUS_NO_TARGET);
	snprintf(said, sizeof(said), "heaptap: no process that runs is named 'x%s' (nearest: %s", name(), name());
	assert_memory_equal(scene->err_text, said, strlen(said));
	assert_non_null(strstr(scene->err_text, "'pgrep -af WORD' finds one"));
	end_child(child);
}

/* One that has ended keeps its name until its parent asks for its status. */
static void test_name_of_a_zombie_is_that_of_none(void **state)
{
	struct scene *scene = *state;
	pid_t child = named_child();
	siginfo_t info;
	char line[64];

	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	snprintf(line, sizeof(line), "record -p %s", name());
	assert_int_equal(resolve(scene, line), STATUS_NO_TARGET);
	end_child(child);
}

/* The kernel keeps 15 letters of the name; the file of the program has it whole. Heaptap is the test here, and is no target. */
static void test_name_may_be_that_of_the_program_and_never_heaptap(void **state)
{
	struct scene *scene = *state;
	pid_t child = named_child();

	assert_int_equal(resolve(scene, "record -p test_process_argument"), STATUS_DONE);
	assert_int_equal(scene->options.record.tracing.target.pids[0], child);
	end_child(child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_name_of_one_process_is_taken_and_said),
		TEST(test_name_of_several_processes_lists_them),
		TEST(test_name_of_none_gets_the_nearest),
		TEST(test_name_of_a_zombie_is_that_of_none),
		TEST(test_name_may_be_that_of_the_program_and_never_heaptap),
	};

	return cmocka_run_group_tests_name("process_argument", tests, NULL, NULL);
}
