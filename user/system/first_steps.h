/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The first steps of a program, from its exec on, one system call at a time: while its loader works, and before code of its own has run. The
 * program is traced by ptrace meanwhile, without breakpoints: if heaptap is killed, it runs on.
 */
#include <sys/types.h>

/*
 * What is asked at each stop of `pid`, whose only thread stands still: 0: ask again at the next one; otherwise the process goes on
 * unwatched.
 */
struct first_steps {
	int (*look)(pid_t pid, void *arg);
	void *arg;
};

/* Watch a child that has not executed the program yet. 0 or negative errno: it may not be traced, so it runs as it would. */
int first_steps_watch(pid_t pid);

/*
 * Let it go on until `look` has seen enough, it has made a thousand system calls, or stops or ends. By the thread that watches; the child is
 * not reaped.
 */
void first_steps_follow(pid_t pid, const struct first_steps *steps);
