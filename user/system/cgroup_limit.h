/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The memory of the control group that was asked for last. A build begins hundreds of processes a second in one group; its files, and those of
 * all groups above it, are read ten times a second at most.
 */
#include "include/types.h"

#define CGROUP_LIMIT_NS 100000000 /* how old an answer may be */

/* Zeroed: nothing has been asked yet. */
struct cgroup_limit {
	char *directory, *path; /* which group it is; NULL: none */
	u64 read_ns;
	u64 limit, used;
};

/* As cgroup_memory has it, at `now_ns`. */
void cgroup_limit_read(struct cgroup_limit *known, const char *directory, const char *path, u64 now_ns, u64 *ret_limit,
		       u64 *ret_used);
void cgroup_limit_release(struct cgroup_limit *known);
