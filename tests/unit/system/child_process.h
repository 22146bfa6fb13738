/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Children of the test: one that does nothing, and one that has ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static inline void end_child(pid_t child)
{
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

/* A child that does nothing. */
static inline pid_t sleeping_child(void)
{
	pid_t child = fork();

	if (!child)
		for (;;)
			pause();
	assert_true(child > 0);
	return child;
}

/* A child that has ended and is not yet waited for. */
static inline pid_t zombie_child(void)
{
	siginfo_t info;
	pid_t child = fork();

	if (!child)
		_exit(0);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
	return child;
}
