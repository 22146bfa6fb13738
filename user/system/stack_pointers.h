/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Where the threads of a process stand on their stacks. */
#include <sys/types.h>

#include "include/types.h"

/*
 * The stack pointers of its threads that wait in the kernel, ascending, to be freed; the kernel tells them of no thread that
 * runs (/proc/PID/task/TID/syscall, proc_pid_syscall(5)). 0, -ESRCH, or a shortage.
 */
int stack_pointers_read(pid_t pid, u64 **ret_pointers, u32 *ret_count);
