/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes after the first stop signal: more of the same, a Ctrl-C that means it, and the death of heaptap or of the process that
 * holds its links. The target has a C library of its own; names are asked of a server that does not answer, so that writing goes on
 * until the test lets it end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/code.h"
#include "e2e/kit/name_server.h"
#include "e2e/kit/orphans.h"
#include "e2e/kit/own_libc.h"
#include "e2e/kit/session.h"

/* Trace a program without names until it has allocated, send the signal, and wait until profiles are being written. */
static void begin_writing(struct scene *scene, struct name_server *server, int signal)
{
	char done;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_nameless"), NULL});
	target_ready(&scene->target);
	name_server_start(server, scene);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	assert_int_equal(write(scene->target.in, "k", 1), 1);
	assert_int_equal(read(scene->target.out, &done, 1), 1);
	session_signal(&scene->session, signal);
	name_server_await_client(server);
}

static void check_signals(struct scene *scene, int first, int second)
{
	struct name_server server;

	begin_writing(scene, &server, first);
	session_signal(&scene->session, second);
	name_server_stop(&server);
	assert_int_equal(session_finish(&scene->session), 0);
	cJSON_Delete(session_index(&scene->session));
}

static void test_again_signals_of_timeout_are_one_stop(void **state)
{
	check_signals(*state, SIGTERM, SIGTERM);
}

static void test_again_signals_of_a_hang_up_are_one_stop(void **state)
{
	check_signals(*state, SIGHUP, SIGHUP);
}

static void test_again_signals_of_a_service_manager_are_one_stop(void **state)
{
	check_signals(*state, SIGTERM, SIGHUP);
}

static void test_again_sigterm_after_the_message_drops_nothing(void **state)
{
	struct scene *scene = *state;
	struct name_server server;

	begin_writing(scene, &server, SIGINT);
	session_await(&scene->session, "press Ctrl-C again to drop them");
	session_signal(&scene->session, SIGTERM);
	name_server_stop(&server);
	assert_int_equal(session_finish(&scene->session), 0);
	cJSON_Delete(session_index(&scene->session));
}

/* Nothing is lost by it, and the next one would. */
static void test_again_second_ctrl_c_is_answered(void **state)
{
	struct scene *scene = *state;
	struct name_server server;

	begin_writing(scene, &server, SIGINT);
	session_signal(&scene->session, SIGINT);
	session_await(&scene->session, "press Ctrl-C again to drop them");
	name_server_stop(&server);
	assert_int_equal(session_finish(&scene->session), 0);
	cJSON_Delete(session_index(&scene->session));
}

static void test_again_ctrl_c_after_the_message_drops(void **state)
{
	struct scene *scene = *state;
	struct name_server server;

	orphans_adopt();
	begin_writing(scene, &server, SIGINT);
	session_await(&scene->session, "press Ctrl-C again to drop them");
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 128 + SIGINT);
	name_server_stop(&server);
	session_assert_said(&scene->session, "dropped: ");
	assert_int_equal(access(scene->session.output, F_OK), -1);
	orphans_await(&scene->target);
	assert_int_equal(code_changes(scene->target.pid, "libc.so.6"), 0);
}

/* --- terminals ------------------------------------------------------------------------------------------------------ */

/* A terminal of the session's own: setsid makes it the session's, and all that it has open is the terminal. */
static int open_terminal(char name[64])
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(terminal >= 0);
	assert_int_equal(grantpt(terminal) | unlockpt(terminal) | ptsname_r(terminal, name, 64), 0);
	return terminal;
}

static void await_words(int terminal, const char *words)
{
	struct pollfd poll_fd = {.fd = terminal, .events = POLLIN};
	char text[16384] = "";
	size_t length = 0;

	while (!strstr(text, words)) {
		ssize_t more = -1;

		if (length + 1 < sizeof(text) && poll(&poll_fd, 1, DEADLINE_MS) == 1)
			more = read(terminal, text + length, sizeof(text) - 1 - length);
		if (more <= 0)
			fail_msg("heaptap did not say \"%s\" but:\n%s", words, text);
		text[length += (size_t)more] = '\0';
	}
}

/* The kernel signals the foreground group, and the shell signals its jobs. */
static void test_again_closed_terminal_loses_nothing(void **state)
{
	struct scene *scene = *state;
	char name[64];
	int terminal = open_terminal(name);
	const char *out = format("%s/out", scene->dir);
	const char *words;

	own_libc_churn(scene);
	words = format("exec <>%s >&0 2>&0; '%s' record -p %d -o '%s'", name, heaptap_path(), scene->target.pid, out);
	scene->more[0].pid = child_start(&(struct child_launch){
		(const char *const[]){"/usr/bin/setsid", "--wait", "/bin/bash", "-ic", words, NULL}, NULL, -1, -1, -1,
		0});
	await_words(terminal, "heaptap: tracing");
	close(terminal);
	child_reap(&scene->more[0]);
	orphans_await(&scene->target);
	assert_int_equal(own_libc_breakpoints(scene), 0);
	cJSON_Delete(json_read(format("%s/index.json", out)));
}

/* --- deaths --------------------------------------------------------------------------------------------------------- */

static pid_t begin(struct scene *scene)
{
	pid_t keeper;

	own_libc_churn(scene);
	session_start(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	assert_true(own_libc_breakpoints(scene) > 0);
	keeper = orphans_keeper(scene->session.child.pid);
	assert_true(keeper > 0);
	return keeper;
}

/* Who reads what heaptap says sees the end of it, although the process that holds the links may live on for a moment. */
static void test_again_killed_heaptap_leaves_neither_breakpoints_nor_open_files(void **state)
{
	struct scene *scene = *state;
	pid_t keeper;
	char name[256];

	orphans_adopt();
	keeper = begin(scene);
	assert_int_equal(getsid(keeper), keeper);
	for (int fd = 0; fd < 3; fd++) {
		ssize_t length = readlink(format("/proc/%d/fd/%d", keeper, fd), name, sizeof(name) - 1);

		assert_true(length > 0);
		name[length] = '\0';
		assert_string_equal(name, "/dev/null");
	}
	session_signal(&scene->session, SIGKILL);
	assert_int_equal(session_finish(&scene->session), 128 + SIGKILL);
	orphans_await(&scene->target);
	assert_int_equal(own_libc_breakpoints(scene), 0);
}

/* It can only be killed. */
static void test_again_keeper_takes_no_signal(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGUSR1, SIGUSR2, SIGALRM};
	struct scene *scene = *state;
	pid_t keeper = begin(scene);

	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		assert_int_equal(kill(keeper, signals[i]), 0);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(own_libc_breakpoints(scene), 0);
	assert_int_equal(kill(keeper, 0), -1);
	cJSON_Delete(session_index(&scene->session));
}

static void test_again_killed_keeper_ends_the_recording_with_1(void **state)
{
	struct scene *scene = *state;
	pid_t keeper = begin(scene);

	assert_int_equal(kill(keeper, SIGKILL), 0);
	session_await(&scene->session, "has been killed");
	assert_int_equal(session_finish(&scene->session), 1);
	assert_int_equal(own_libc_breakpoints(scene), 0);
	cJSON_Delete(session_index(&scene->session));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_again_signals_of_timeout_are_one_stop),
		TEST(test_again_signals_of_a_hang_up_are_one_stop),
		TEST(test_again_signals_of_a_service_manager_are_one_stop),
		TEST(test_again_sigterm_after_the_message_drops_nothing),
		TEST(test_again_second_ctrl_c_is_answered),
		TEST(test_again_ctrl_c_after_the_message_drops),
		TEST(test_again_closed_terminal_loses_nothing),
		TEST(test_again_killed_heaptap_leaves_neither_breakpoints_nor_open_files),
		TEST(test_again_keeper_takes_no_signal),
		TEST(test_again_killed_keeper_ends_the_recording_with_1),
	};

	return cmocka_run_group_tests_name("stop_again", tests, NULL, NULL);
}
