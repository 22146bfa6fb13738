/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exit statuses and signals: what a script that calls heaptap sees. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/session.h"

static int run_command(struct scene *scene, const char *const *command)
{
	const char *args[16] = {"--"};

	for (unsigned int i = 0; command[i]; i++)
		args[1 + i] = command[i];
	return session_run(&scene->session, scene, args);
}

static void assert_index(const struct scene *scene)
{
	cJSON_Delete(session_index(&scene->session));
}

static void test_command_status_is_passed_on(void **state)
{
	assert_int_equal(run_command(*state, (const char *const[]){beside("target_exit"), "return", "7", NULL}), 7);
	assert_index(*state);
	assert_int_equal(run_command(*state, (const char *const[]){beside("target_exit"), "_exit", "5", NULL}), 5);
	assert_index(*state);
}

static void test_command_killed_by_signal_is_128_more(void **state)
{
	assert_int_equal(run_command(*state, (const char *const[]){beside("target_exit"), "abort", NULL}),
			 128 + SIGABRT);
	assert_index(*state);
	assert_int_equal(run_command(*state, (const char *const[]){beside("target_exit"), "kill", NULL}),
			 128 + SIGKILL);
	assert_index(*state);
}

static void test_command_not_found_is_127(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(run_command(scene, (const char *const[]){"/nonexistent/program", NULL}), 127);
	session_assert_said(&scene->session, "/nonexistent/program");
	assert_int_equal(run_command(scene, (const char *const[]){"no-such-program-in-path", NULL}), 127);
	session_assert_said(&scene->session, "no-such-program-in-path");
}

static void test_command_not_executable_is_126(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(run_command(scene, (const char *const[]){"/etc/passwd", NULL}), 126);
	session_assert_said(&scene->session, "/etc/passwd");
	assert_int_equal(run_command(scene, (const char *const[]){scene->dir, NULL}), 126);
}

static const char *script(const struct scene *scene, const char *name, const char *text)
{
	const char *path = format("%s/%s", scene->dir, name);
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file) || chmod(path, 0755))
		fail_msg("%s cannot be written", path);
	return path;
}

/* What execvp makes of a file that the kernel does not run as it is, and the status of env(1). */
static void assert_runs_as_env(struct scene *scene, const char *way, const char *path, int expected)
{
	int status = session_run(&scene->session, scene, (const char *const[]){way, "--", path, "one", "two", NULL});

	if (status != expected)
		fail_msg("%s with %s: %d and not %d; heaptap said:\n%s", path, way, status, expected,
			 scene->session.words);
}

static void test_command_that_exec_refuses_is_as_env_has_it(void **state)
{
	static const struct {
		const char *text;
		int status;
	} scripts[] = {
		{"exit $#\n", 2}, {"", 0}, {"#!\nexit 4\n", 4}, {"#!/no/such/interpreter\n", 127}, {"#!/\n", 126},
	};
	struct scene *scene = *state;
	const char *path;

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		path = script(scene, "script", scripts[i].text);
		assert_runs_as_env(scene, "-q", path, scripts[i].status);
		assert_runs_as_env(scene, "--follow", path, scripts[i].status);
	}
	path = script(scene, "loop", format("#!%s/loop\n", scene->dir));
	assert_runs_as_env(scene, "-q", path, 126);
	assert_runs_as_env(scene, "--follow", path, 126);
	assert_runs_as_env(scene, "-q", format("%s/below", path), 126);
}

static void test_command_heaptap_failure_is_125(void **state)
{
	struct scene *scene = *state;

	session_start_bare(&scene->session, (const char *const[]){"record", "-o", "/proc/self/nowhere", "--",
								  beside("target_exit"), "return", "0", NULL});
	assert_int_equal(session_finish(&scene->session), 125);
	session_assert_said(&scene->session, "/proc/self/nowhere");
}

static void test_usage_errors_are_2_and_name_the_argument(void **state)
{
	static const char *const lines[][6] = {
		{"record", "-p", "1", "-R", "0", NULL},
		{"record", "-p", "-d", "1", NULL},
		{"record", NULL},
		{"record", "-p", "1", "-f", "html", NULL},
		{"record", "-p", "1", "--no-such-option", NULL},
		{"frobnicate", NULL},
	};
	static const char *const culprits[] = {"-R 0", "'-d' in '-p'",	   "target",
					       "html", "--no-such-option", "frobnicate"};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		session_start_bare(&scene->session, lines[i]);
		assert_int_equal(session_finish(&scene->session), 2);
		session_assert_said(&scene->session, culprits[i]);
	}
}

static void test_usage_errors_before_a_command_are_125(void **state)
{
	static const char *const lines[][6] = {
		{"record", "-R", "0", "--", "true", NULL},
		{"record", "--no-such-option", "--", "true", NULL},
		{"record", "-p", "1", "--", "true", NULL},
		{"frobnicate", "--", "true", NULL},
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		session_start_bare(&scene->session, lines[i]);
		assert_int_equal(session_finish(&scene->session), 125);
		assert_true(scene->session.words_length > 0);
	}
}

/* A process runs a file; a directory would be waited for in vain. */
static void test_exe_that_no_process_can_run_is_refused(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(session_run(&scene->session, scene, (const char *const[]){"--exe", scene->dir, "-a", NULL}),
			 4);
	session_assert_said(&scene->session, "no regular file");
}

/* When its time is up it writes, leaves COMMAND alone, waits for it and passes its status on. */
static void test_duration_over_writes_and_waits_for_command(void **state)
{
	struct scene *scene = *state;
	const char *line = format("%s -s 0.5 >/dev/null; exit 9", beside("target_churn"));

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-d", "0.1", "--", "/bin/sh", "-c", line, NULL}),
			 9);
	assert_index(scene);
}

/* A terminating signal stops the tracing of a process, writes and is a success; the process runs on. */
static void check_signal(struct scene *scene, int signal)
{
	target_start(&scene->target, NULL, (const char *const[]){beside("target_leak"), "malloc", NULL});
	target_ready(&scene->target);
	session_start(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	session_signal(&scene->session, signal);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_index(scene);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

static void test_signal_int_writes_and_leaves_target_running(void **state)
{
	check_signal(*state, SIGINT);
}

static void test_signal_term_writes_and_leaves_target_running(void **state)
{
	check_signal(*state, SIGTERM);
}

static void test_signal_hup_writes_and_leaves_target_running(void **state)
{
	check_signal(*state, SIGHUP);
}

/* As under nohup(1). */
static void test_signal_hup_ignored_at_start_changes_nothing(void **state)
{
	struct scene *scene = *state;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_leak"), "malloc", NULL});
	target_ready(&scene->target);
	scene->session.wrapper = (const char *const[]){"/usr/bin/env", "--ignore-signal=HUP", NULL};
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	session_signal(&scene->session, SIGHUP);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	cJSON *index = session_index(&scene->session);
	assert_int_equal(index_number(index_process(index, "target_leak"), "inuse_space"), 30000);
	cJSON_Delete(index);
}

/* SIGTERM is for heaptap: it stops and writes at once, COMMAND is waited for, and its status is the answer. */
static void test_signal_term_is_not_passed_to_command(void **state)
{
	struct scene *scene = *state;

	session_start(&scene->session, scene,
		      (const char *const[]){"--", "/bin/sh", "-c",
					    format("%s -s 0.5 >/dev/null; exit 6", beside("target_churn")), NULL});
	session_attached(&scene->session);
	session_signal(&scene->session, SIGTERM);
	assert_int_equal(session_finish(&scene->session), 6);
	assert_index(scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_command_status_is_passed_on),
		TEST(test_command_killed_by_signal_is_128_more),
		TEST(test_command_not_found_is_127),
		TEST(test_command_not_executable_is_126),
		TEST(test_command_that_exec_refuses_is_as_env_has_it),
		TEST(test_command_heaptap_failure_is_125),
		TEST(test_usage_errors_are_2_and_name_the_argument),
		TEST(test_usage_errors_before_a_command_are_125),
		TEST(test_exe_that_no_process_can_run_is_refused),
		TEST(test_duration_over_writes_and_waits_for_command),
		TEST(test_signal_int_writes_and_leaves_target_running),
		TEST(test_signal_term_writes_and_leaves_target_running),
		TEST(test_signal_hup_writes_and_leaves_target_running),
		TEST(test_signal_hup_ignored_at_start_changes_nothing),
		TEST(test_signal_term_is_not_passed_to_command),
	};

	return cmocka_run_group_tests_name("status", tests, NULL, NULL);
}
