/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the seccomp filters of a thread say to a system call, found out without making it: they may kill for it. The filters are read by
 * ptrace and run here.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/types.h>

#include "include/types.h"

/* What a filter, which the kernel has accepted, returns: SECCOMP_RET_*; SECCOMP_RET_KILL_PROCESS too if it is not understood. */
u32 seccomp_filter_run(const struct sock_filter *code, u32 count, const struct seccomp_data *data);

/*
 * Do all filters of the thread, which is stopped and traced by the caller, let the call be made as if there were none? False also where
 * they cannot be read, and in strict mode.
 */
bool seccomp_filter_allows(pid_t tid, const struct seccomp_data *data);
