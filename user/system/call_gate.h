/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Code that a process has anyway, by which a thread of it can be made to call the kernel: a system call and a return, and the call of
 * rt_sigreturn that a signal handler returns to.
 */
#include <sys/types.h>

#include "include/types.h"

struct call_gate {
	u64 call;     /* syscall; ret */
	u64 restorer; /* mov $15, %eax; syscall */
	u32 restorer_size;
};

/* 0; -ENOENT: it has no such code; -ESRCH, or another error of reading its memory. */
int call_gate_find(pid_t pid, struct call_gate *ret_gate);

/* Is it still there? The process may have executed another program. */
bool call_gate_holds(int memory, const struct call_gate *gate);
