/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ctrl-C: neither the target nor a child forked while it was traced keeps a breakpoint, their code is byte for byte the file's
 * again. How soon heaptap is gone is measured by bench/stop.sh.
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
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/code.h"
#include "e2e/kit/session.h"

#define CHILDREN 2
#define LIBC	 "libc.so.6"

/* The target prints a child's number a line once it has forked it. */
static void read_children(const struct child *target, pid_t *ret_children)
{
	char text[256] = "";
	size_t length = 0;

	for (int lines = 0; lines < CHILDREN;) {
		struct pollfd poll_fd = {.fd = target->out, .events = POLLIN};

		if (poll(&poll_fd, 1, DEADLINE_MS) != 1 || length + 1 >= sizeof(text) ||
		    read(target->out, text + length, 1) != 1)
			fail_msg("the target did not fork: %s", text);
		if (text[length++] == '\n')
			ret_children[lines++] = atoi(text), length = 0;
	}
}

static void check_stop(struct scene *scene, const char *rung)
{
	pid_t children[CHILDREN];
	unsigned int left = 0;

	target_start(
		&scene->target, NULL,
		(const char *const[]){beside("target_churn"), "-w", "-s", "1000", "-f", format("%d", CHILDREN), NULL});
	target_ready(&scene->target);
	scene->session.environment[0] = format("HEAPTAP_ATTACH=%s", rung);
	session_start(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	read_children(&scene->target, children);
	assert_true(code_changes(scene->target.pid, LIBC) > 0);
	for (int i = 0; i < CHILDREN; i++)
		assert_true(code_changes(children[i], LIBC) > 0);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	/* No one but this test ends them. */
	for (int i = 0; i < CHILDREN; i++) {
		left += code_changes(children[i], LIBC);
		kill(children[i], SIGKILL);
	}
	assert_int_equal(left, 0);
	assert_int_equal(code_changes(scene->target.pid, LIBC), 0);
}

static void test_stop_session_leaves_nothing_behind(void **state)
{
	check_stop(*state, "session");
}

static void test_stop_multi_leaves_nothing_behind(void **state)
{
	check_stop(*state, "multi");
}

static void test_stop_perf_leaves_nothing_behind(void **state)
{
	check_stop(*state, "perf");
}

/* What the kernel has to say from here on. */
static int listen_to_kernel(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(lseek(fd, 0, SEEK_END) >= 0);
	return fd;
}

/* A record for each read; one that was overwritten meanwhile is an EPIPE, after which the next is read. */
static bool kernel_said(int fd, const char *words)
{
	char record[8192];
	ssize_t size;

	while ((size = read(fd, record, sizeof(record) - 1)) >= 0 || errno == EPIPE) {
		record[size > 0 ? size : 0] = '\0';
		if (strstr(record, words))
			return true;
	}
	assert_int_equal(errno, EAGAIN);
	return false;
}

/*
 * Links that were being removed in the background when heaptap ended: a thread that is killed at that leaves its
 * breakpoints behind, and the kernel says so. On the perf rung the removal takes longest.
 */
static void check_leak(struct scene *scene, const char *rung)
{
	int kernel = listen_to_kernel();

	scene->session.environment[0] = format("HEAPTAP_ATTACH=%s", rung);
	assert_int_equal(session_run(&scene->session, scene, (const char *const[]){"--", "/bin/true", NULL}), 0);
	assert_false(kernel_said(kernel, "uprobe: heaptap:"));
	close(kernel);
}

static void test_stop_session_of_ended_command_leaks_no_probe(void **state)
{
	check_leak(*state, "session");
}

static void test_stop_multi_of_ended_command_leaks_no_probe(void **state)
{
	check_leak(*state, "multi");
}

static void test_stop_perf_of_ended_command_leaks_no_probe(void **state)
{
	check_leak(*state, "perf");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stop_session_leaves_nothing_behind),
		TEST(test_stop_multi_leaves_nothing_behind),
		TEST(test_stop_perf_leaves_nothing_behind),
		TEST(test_stop_session_of_ended_command_leaks_no_probe),
		TEST(test_stop_multi_of_ended_command_leaks_no_probe),
		TEST(test_stop_perf_of_ended_command_leaks_no_probe),
	};

	return cmocka_run_group_tests_name("stop", tests, NULL, NULL);
}
