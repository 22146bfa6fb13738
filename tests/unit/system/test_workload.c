/* SPDX-License-Identifier: GPL-2.0-or-later */
/* workload.c: COMMAND found as execvp would, held before its exec, and its status as a shell gives it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "system/inheritance.h"
#include "system/workload.h"
#include "scratch.h"

static char *path_before;

static int setup(void **state)
{
	const char *path = getenv("PATH");

	path_before = strdup(path ? path : "/usr/bin:/bin");
	return scratch_setup(state);
}

static int teardown(void **state)
{
	setenv("PATH", path_before, 1);
	free(path_before);
	return scratch_teardown(state);
}

/* --- finding --- */

static void assert_found(const char *name, const char *expected)
{
	char *path = NULL;

	assert_int_equal(workload_find(name, &path), 0);
	assert_string_equal(path, expected);
	free(path);
}

static void assert_not_found(const char *name, int err)
{
	char *path = NULL;

	assert_int_equal(workload_find(name, &path), err);
	assert_null(path);
}

/* one/tool may not be executed, two/tool may; in three it is a directory. */
static void make_tools(void)
{
	mkdir("one", 0755);
	mkdir("two", 0755);
	mkdir("three", 0755);
	mkdir("three/tool", 0755);
	scratch_file("one/tool", "#!/bin/sh\n", 0644);
	scratch_file("two/tool", "#!/bin/sh\n", 0755);
	scratch_file("tool", "#!/bin/sh\n", 0755);
}

static void test_command_find_first_executable_along_path_wins(void **state)
{
	(void)state;
	make_tools();
	setenv("PATH", "missing:one:three:two:.", 1);
	assert_found("tool", "two/tool");
}

static void test_command_find_not_executable_is_told_from_not_there(void **state)
{
	(void)state;
	make_tools();
	setenv("PATH", "one:missing", 1);
	assert_not_found("tool", -EACCES);
	setenv("PATH", "three", 1);
	assert_not_found("tool", -EACCES);
	setenv("PATH", "missing", 1);
	assert_not_found("tool", -ENOENT);
	assert_not_found("", -ENOENT);
}

static void test_command_find_empty_entry_is_the_current_directory(void **state)
{
	static const char *const lists[] = {"missing:", ":missing", "missing::one", ""};

	(void)state;
	make_tools();
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		setenv("PATH", lists[i], 1);
		assert_found("tool", "./tool");
	}
}

static void test_command_find_without_path_uses_the_usual_places(void **state)
{
	char *path = NULL;

	(void)state;
	unsetenv("PATH");
	assert_int_equal(workload_find("sh", &path), 0);
	assert_int_equal(access(path, X_OK), 0);
	free(path);
}

static void test_command_find_name_with_slash_is_not_searched(void **state)
{
	(void)state;
	make_tools();
	setenv("PATH", "two", 1);
	assert_found("two/tool", "two/tool");
	assert_found("./tool", "./tool");
	assert_not_found("one/tool", -EACCES);
	assert_not_found("three/tool", -EACCES);
	assert_not_found("./missing", -ENOENT);
	assert_not_found("two/tool/more", -ENOTDIR);
}

/* As execvp: a directory of PATH that is none is passed over, and anything odd about the name ends the search. */
static void test_command_find_other_errors_are_what_execvp_leaves(void **state)
{
	char name[NAME_MAX + 2];

	(void)state;
	make_tools();
	assert_int_equal(symlink("self", "self"), 0);
	assert_not_found("./self", -ELOOP);
	setenv("PATH", "two/tool:.", 1);
	assert_not_found("self", -ELOOP);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_not_found(name, -ENAMETOOLONG);
	assert_found("tool", "./tool");
}

static void test_command_find_entry_too_long_is_passed_over(void **state)
{
	static char list[PATH_MAX + 100];

	(void)state;
	make_tools();
	memset(list, 'x', PATH_MAX);
	memcpy(list + PATH_MAX, ":two", 5);
	setenv("PATH", list, 1);
	assert_found("tool", "two/tool");
}

/* --- running --- */

static struct workload start(const char *path, const char *script)
{
	char *argv[] = {(char *)"name", (char *)"-c", (char *)script, NULL};
	struct workload workload;
	sigset_t none;

	sigemptyset(&none);
	assert_int_equal(workload_start(argv, (char *)path, &none, NULL, &workload), 0);
	return workload;
}

static int run(const char *script)
{
	struct workload workload = start("/bin/sh", script);

	assert_int_equal(workload_release(&workload, NULL), 0);
	return workload_status(&workload, 1);
}

static void test_command_status_is_what_a_shell_would_say(void **state)
{
	(void)state;
	assert_int_equal(run("exit 0"), 0);
	assert_int_equal(run("exit 7"), 7);
	assert_int_equal(run("exit 255"), 255);
	assert_int_equal(run("kill -KILL $$"), 128 + SIGKILL);
	assert_int_equal(run("kill -TERM $$"), 128 + SIGTERM);
}

static void test_command_status_while_it_runs_is_again(void **state)
{
	struct workload workload = start("/bin/sh", ":");

	(void)state;
	assert_int_equal(workload_status(&workload, 0), -EAGAIN);
	workload_abandon(&workload);
	assert_int_equal(workload_status(&workload, 0), -ECHILD);
}

static void test_command_does_not_run_before_it_is_released(void **state)
{
	struct workload workload = start("/bin/sh", ": >ran");
	char comm[32] = "", path[64];
	FILE *file;

	(void)state;
	/* Not yet the program, however long one waits. */
	snprintf(path, sizeof(path), "/proc/%d/comm", workload.pid);
	file = fopen(path, "re");
	assert_non_null(file);
	assert_non_null(fgets(comm, sizeof(comm), file));
	fclose(file);
	assert_string_not_equal(comm, "sh\n");
	assert_int_equal(access("ran", F_OK), -1);
	assert_int_equal(workload_release(&workload, NULL), 0);
	assert_int_equal(workload_status(&workload, 1), 0);
	assert_int_equal(access("ran", F_OK), 0);
}

static void test_command_abandon_never_runs_it_and_reaps(void **state)
{
	struct workload workload = start("/bin/sh", ": >ran");

	(void)state;
	workload_abandon(&workload);
	assert_int_equal(access("ran", F_OK), -1);
	assert_int_equal(waitpid(workload.pid, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
}

static void test_command_release_says_why_exec_failed_and_reaps(void **state)
{
	struct workload workload = start("./gone", "");

	(void)state;
	assert_int_equal(workload_release(&workload, NULL), -ENOENT);
	assert_int_equal(waitpid(workload.pid, NULL, 0), -1);
	scratch_file("text", "hello", 0644);
	workload = start("./text", "");
	assert_int_equal(workload_release(&workload, NULL), -EACCES);
}

static void test_command_script_without_interpreter_is_the_shells(void **state)
{
	char *argv[] = {(char *)"script", (char *)"5", NULL};
	struct workload workload;
	sigset_t none;

	(void)state;
	scratch_file("script", "exit $(($1 + 1))\n", 0755);
	sigemptyset(&none);
	assert_int_equal(workload_start(argv, (char *)"./script", &none, NULL, &workload), 0);
	assert_int_equal(workload_release(&workload, NULL), 0);
	assert_int_equal(workload_status(&workload, 1), 6);
}

static void test_command_gets_its_name_arguments_and_environment(void **state)
{
	(void)state;
	setenv("HEAPTAP_TEST_WORD", "word", 1);
	assert_int_equal(run("test \"$0\" = name && test \"$HEAPTAP_TEST_WORD\" = word"), 0);
	unsetenv("HEAPTAP_TEST_WORD");
}

/* 0: its own /proc/self/status has such a line. */
static int look_at_itself(const char *pattern, const sigset_t *mask)
{
	char *argv[] = {(char *)"grep", (char *)"-q", (char *)pattern, (char *)"/proc/self/status", NULL};
	struct workload workload;
	char *grep = NULL;
	int status;

	assert_int_equal(workload_find("grep", &grep), 0);
	assert_int_equal(workload_start(argv, grep, mask, NULL, &workload), 0);
	assert_int_equal(workload_release(&workload, NULL), 0);
	status = workload_status(&workload, 1);
	free(grep);
	return status;
}

static void test_command_gets_the_signal_mask_asked_for(void **state)
{
	sigset_t mask, before;

	(void)state;
	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, &before);
	sigemptyset(&mask);
	sigaddset(&mask, SIGUSR1);
	assert_int_equal(look_at_itself("^SigBlk:.*0200$", &mask), 0);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

/* What heaptap ignores and raises for itself, COMMAND has as heaptap was given it. */
static void test_command_gets_back_what_heaptap_changes_for_itself(void **state)
{
	struct rlimit few = {64, 128}, files;
	pid_t pid = fork();
	int status;

	(void)state;
	if (!pid) {
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_NOFILE, &few);
		inheritance_change();
		if (getrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur != 128 || raise(SIGPIPE))
			_exit(99);
		_exit(run("test $(ulimit -n) = 64 && kill -XFSZ $$ && kill -PIPE $$"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 128 + SIGPIPE);
}

/* A parent that never waits for its children may ignore their ends: COMMAND's status is known all the same, and its own children are ignored. */
static void test_command_status_is_known_where_children_are_ignored(void **state)
{
	pid_t pid = fork();
	sigset_t none;
	int status;

	(void)state;
	if (!pid) {
		signal(SIGCHLD, SIG_IGN);
		sigemptyset(&none);
		inheritance_change();
		if (run("exit 7") != 7)
			_exit(99);
		_exit(look_at_itself("^SigIgn:.*[13579bdf]....$", &none));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* A standard stream that is closed does not become a file of ours, and is closed for COMMAND as well. */
static void test_command_gets_no_standard_stream_that_was_closed(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (!pid) {
		close(STDERR_FILENO);
		inheritance_change();
		if (fcntl(STDERR_FILENO, F_GETFD) != FD_CLOEXEC)
			_exit(99);
		_exit(run("! test -e /proc/$$/fd/2"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* Those that we were started with and pass on are not ours: what heaptap opens closes on exec. */
static void test_command_gets_no_descriptor_of_ours(void **state)
{
	char script[1024] = "", *end = script;

	(void)state;
	for (int fd = 3; fd < 20; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0 || flags & FD_CLOEXEC)
			end += sprintf(end, "! test -e /proc/$$/fd/%d || exit %d\n", fd, fd);
	}
	assert_int_equal(run(script), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_command_find_first_executable_along_path_wins),
		TEST(test_command_find_not_executable_is_told_from_not_there),
		TEST(test_command_find_empty_entry_is_the_current_directory),
		TEST(test_command_find_without_path_uses_the_usual_places),
		TEST(test_command_find_name_with_slash_is_not_searched),
		TEST(test_command_find_other_errors_are_what_execvp_leaves),
		TEST(test_command_find_entry_too_long_is_passed_over),
		TEST(test_command_status_is_what_a_shell_would_say),
		TEST(test_command_status_while_it_runs_is_again),
		TEST(test_command_does_not_run_before_it_is_released),
		TEST(test_command_abandon_never_runs_it_and_reaps),
		TEST(test_command_release_says_why_exec_failed_and_reaps),
		TEST(test_command_script_without_interpreter_is_the_shells),
		TEST(test_command_gets_its_name_arguments_and_environment),
		TEST(test_command_gets_the_signal_mask_asked_for),
		TEST(test_command_gets_back_what_heaptap_changes_for_itself),
		TEST(test_command_status_is_known_where_children_are_ignored),
		TEST(test_command_gets_no_standard_stream_that_was_closed),
		TEST(test_command_gets_no_descriptor_of_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
