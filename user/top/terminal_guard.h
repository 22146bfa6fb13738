/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A process that outlives this one by a moment, to restore the terminal when a SIGKILL leaves no time for it. */
#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

struct terminal_guard {
	pid_t pid; /* 0: there is none */
	int pipe;  /* it waits for the other end to close */
};

/*
 * It holds no other descriptor than standard input and output, and a pipe. `restore` is what it writes. Where no process can be had,
 * there is no guard.
 */
void terminal_guard_start(struct terminal_guard *guard, const struct termios *before, const char *restore, size_t size);

/* The terminal has been restored. May be called by the handler of a signal. */
void terminal_guard_dismiss(const struct terminal_guard *guard);

/* The same, and wait for its end. Without a guard nothing happens. */
void terminal_guard_stop(struct terminal_guard *guard);
