/* SPDX-License-Identifier: GPL-2.0-or-later */
/* interrupt.c: the user is told that an end takes long, and how to drop it, with -q too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "record/interrupt.h"

#include "unit/system/scratch.h"

/* An end that only a signal ends, as one with -q; its messages go to the pipe. `again`: Ctrl-C has been pressed twice. */
static _Noreturn void end_for_ever(int messages, bool again)
{
	struct output_dir output = {.path = "profiles", .made = true};
	struct signals signals = {.fd = -1};
	struct interrupt interrupt;

	log_level(-1);
	output.fd = open(scratch_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mkdir(output.path, 0700) || output.fd < 0 || dup2(messages, STDERR_FILENO) < 0 || signals_take(&signals))
		_exit(1);
	close(messages);
	if (again)
		raise(SIGINT);
	interrupt_watch(&interrupt, &signals, &output, false);
	for (;;)
		pause();
}

#define SAID "heaptap: stopping, and writing profiles to 'profiles'; press Ctrl-C again to drop them"

static void read_line(int messages, char *line, size_t size)
{
	size_t length = 0;

	while (length + 1 < size && read(messages, line + length, 1) == 1 && line[length] != '\n')
		length++;
	line[length] = '\0';
}

/* A line first, and the next Ctrl-C drops, with the directory that has nothing in it. */
static void check_drop(bool again)
{
	char line[256];
	int pipe_fds[2], status;
	pid_t child;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child)
		end_for_ever(pipe_fds[1], again);
	close(pipe_fds[1]);
	read_line(pipe_fds[0], line, sizeof(line));
	assert_string_equal(line, SAID);
	assert_int_equal(kill(child, SIGINT), 0);
	read_line(pipe_fds[0], line, sizeof(line));
	assert_non_null(strstr(line, "dropped: "));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	close(pipe_fds[0]);
	assert_int_equal(access("profiles", F_OK), -1);
}

static void test_quiet_user_is_told_and_can_drop_a_long_end(void **state)
{
	(void)state;
	check_drop(false);
}

/* Right behind the first one it is explained, and loses nothing. */
static void test_second_ctrl_c_is_answered_before_another_one_drops(void **state)
{
	(void)state;
	check_drop(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_quiet_user_is_told_and_can_drop_a_long_end, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_second_ctrl_c_is_answered_before_another_one_drops, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("interrupt", tests, NULL, NULL);
}
