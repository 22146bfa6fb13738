/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Programs that a test starts and ends. Functions fail the running cmocka test themselves. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#define DEADLINE_MS                                                                                                    \
	180000 /* until a test fails that waits in vain; an emulated machine beside other work takes over a minute to attach */

/* One program under test: its end, and pipes to its standard streams. */
struct child {
	pid_t pid;  /* 0: not running */
	int in;	    /* write end of its stdin; -1 */
	int out;    /* read end of its stdout; -1 when it goes nowhere */
	int status; /* as wait(2) has it, once finished */
	struct rusage usage;
};

struct child_launch {
	const char *const *argv;	/* NULL-terminated; argv[0] is the path */
	const char *const *environment; /* more variables, NULL-terminated; NULL: none */
	int in, out, err;		/* -1: /dev/null for in and out, inherited for err */
	uid_t uid;			/* 0: as root */
};

/* Fork and execute. The child does not outlive the test program. */
pid_t child_start(const struct child_launch *launch);
/* Wait for its end, kill it at the deadline: false then. */
bool child_reap(struct child *child);
/* Whether the kernel executes that program beside the running test: of 32 bits not every one does, whatever its configuration says. */
bool child_can_run(const char *name);
/* Kill what still runs, close the pipes. */
void child_release(struct child *child);
/* Until its main thread is in that state, as /proc has it: 'S' it sleeps, 'T' it is stopped, 'Z' it has exited. */
void child_await_state(pid_t pid, char state);
/* The child of a process that has just one; how many descriptors a process has open. */
pid_t child_of(pid_t pid);
unsigned int child_descriptors(pid_t pid);
/* The exit status of a wait status, or 128 + signal. */
int child_exit_status(int status);

/* Start a program with its stdin and stdout connected; wait for the byte that says it stands ready; let it go; reap it.
 */
void target_start(struct child *target, const char *const *environment, const char *const *argv);
void target_ready(struct child *target);
void target_go(struct child *target);
/* Until it has printed these words. */
void target_await_words(struct child *target, const char *words);
/* Until its main thread has exited, other threads remaining. */
void target_await_leader_gone(const struct child *target);
/* Let target_steps take these steps, one after the other, and wait until it has. */
void target_take_steps(const struct child *target, const char *steps);
int target_finish(struct child *target); /* exit status, or 128 + signal */

/* Path of a file beside the running test, e.g. "target_leak": as format returns it. */
const char *beside(const char *name);

/* Formatted strings for argument lists: valid until the sixteenth call from now. */
const char *format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Nanoseconds of CLOCK_MONOTONIC; the moment, DEADLINE_MS from now, until which a test waits. */
uint64_t now_ns(void);
uint64_t deadline_ns(void);
