/* SPDX-License-Identifier: GPL-2.0-or-later */
/* link_keeper.c: the process itself, without a probe. What it does with probes takes root: e2e/suites/test_stop_again.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "trace/link_keeper.h"

static int start(void **state)
{
	(void)state;
	return link_keeper_start();
}

static int stop(void **state)
{
	(void)state;
	link_keeper_stop();
	return 0;
}

/* An event of no program at a place in no file: refused by whatever kernel, and with whatever privileges. */
static int open_nonsense(void)
{
	const struct link_leg leg = {.event_only = true, .count = 1, .pid = getpid()};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	u32 number;
	int err = link_keeper_open(&leg, fd, fd, &number);

	close(fd);
	return err;
}

static void test_keeper_is_started_once(void **state)
{
	pid_t pid = link_keeper_pid();

	(void)state;
	assert_true(pid > 0);
	assert_int_equal(link_keeper_start(), 0);
	assert_int_equal(link_keeper_pid(), pid);
}

static void test_keeper_has_a_session_of_its_own(void **state)
{
	(void)state;
	assert_int_not_equal(open_nonsense(), 0);
	assert_true(link_keeper_is_own(link_keeper_pid()));
	assert_false(link_keeper_is_own(getpid()));
	assert_false(link_keeper_is_own(1));
}

static void test_keeper_answers_what_the_kernel_says(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		assert_in_range(-open_nonsense(), 1, 4095);
	assert_int_not_equal(open_nonsense(), -EOWNERDEAD);
	link_keeper_wait();
	assert_false(link_keeper_lost());
}

static void test_keeper_killed_is_noticed_and_hangs_nothing(void **state)
{
	(void)state;
	assert_int_equal(kill(link_keeper_pid(), SIGKILL), 0);
	assert_int_equal(open_nonsense(), -EOWNERDEAD);
	assert_true(link_keeper_lost());
	link_keeper_close(1);
	link_keeper_wait();
}

/* A child of this test stands for heaptap: it is killed, and its pipe ends when the other process has gone too. */
static void test_keeper_ends_with_heaptap(void **state)
{
	struct pollfd end;
	pid_t child, keeper;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	if (!child) {
		if (link_keeper_start() || (keeper = link_keeper_pid(), write(ends[1], &keeper, sizeof(keeper))) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &keeper, sizeof(keeper)), sizeof(keeper));
	end = (struct pollfd){.fd = (int)syscall(SYS_pidfd_open, keeper, 0), .events = POLLIN};
	assert_true(end.fd >= 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(poll(&end, 1, 60000), 1);
	close(end.fd);
	close(ends[0]);
	close(ends[1]);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_keeper_is_started_once),
		TEST(test_keeper_has_a_session_of_its_own),
		TEST(test_keeper_answers_what_the_kernel_says),
		TEST(test_keeper_killed_is_noticed_and_hangs_nothing),
		cmocka_unit_test(test_keeper_ends_with_heaptap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
