/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A stop of one thread that the caller's thread traces. */
#include <sys/types.h>

#include "include/types.h"

struct thread_stop {
	int signal; /* that it stopped with, SIGTRAP | 0x80 at a system call */
	int event;  /* PTRACE_EVENT_*; 0: none */
};

/* 0: it runs, 1: it has stopped, -ESRCH: it is gone. */
int thread_stop_look(pid_t tid, struct thread_stop *ret_stop);

/*
 * Wait for the next stop of a thread that runs. 0; -ESRCH: it is gone; -ETIMEDOUT: it has not stopped by `until_ns` (clock_now_ns); -ETIME: nor
 * has it, and what it waits for is a processor.
 */
int thread_stop_wait(pid_t tid, u64 until_ns, struct thread_stop *ret_stop);
