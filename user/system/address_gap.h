/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Where in the memory of a process something new may be mapped, near something that is there, and in nobody's way. */
#include <sys/types.h>

#include "include/types.h"

/* `bytes` (whole pages) in reach of all of [start, end), the nearest such place. */
struct gap_request {
	u64 start, end;
	u64 bytes;
	u64 reach; /* between the outermost two bytes of both */
	u64 heap;  /* where the process's heap begins (brk), whether it has one yet or not; 0: nowhere */
};

/*
 * By the text of /proc/PID/maps. 0: none. Left free are a page on each side, what is below the stack, and what the heap may
 * grow into.
 */
u64 address_gap_choose(const char *maps, const struct gap_request *request);

/* The same for a process now; the request's heap is filled in. 0; -ENOSPC: there is none; -ESRCH, -ENOMEM. */
int address_gap_find(pid_t pid, struct gap_request *request, u64 *ret_address);
