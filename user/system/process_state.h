/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Is a number that the user typed a process that can be traced, and if not, what is it? */
#include <stdbool.h>
#include <sys/types.h>

#define PROCESS_STATE_TEXT_MAX 512

/*
 * False: it is no process, a thread, a thread of the kernel, or a process that has ended, or cannot be looked at for want of a descriptor.
 * Then *ret_why is the sentence that says so, and what to name instead, where that is known. True: *ret_why is "".
 */
bool process_state_allows(pid_t pid, char ret_why[PROCESS_STATE_TEXT_MAX]);
