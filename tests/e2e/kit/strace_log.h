/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What strace says of the system calls that map and unmap (-f -e trace=STRACE_CALLS -o LOG), added up by process: a model of pieces in no order,
 * which shares nothing with heaptap but the rules of docs/memory.md. Functions fail the running test themselves.
 */
#include <stdint.h>
#include <sys/types.h>

#define STRACE_CALLS "mmap,munmap,mremap,brk,shmat,shmdt,execve,clone,clone3,fork,vfork"

struct strace_log;

struct strace_sums {
	uint64_t map_objects, map_space, mapped_objects, mapped_space;
};

struct strace_log *strace_log_read(const char *path);
void strace_log_free(struct strace_log *log);

/* What the last program has that the process executed; false: the log has no call of it. */
int strace_log_sums(const struct strace_log *log, pid_t pid, struct strace_sums *ret_sums);
