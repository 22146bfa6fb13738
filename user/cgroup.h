/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CGROUP_H
#define CGROUP_H
/* The memory limit that a process's cgroup (version 2) is under. */
#include "../include/types.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/*
 * Of `path` and the groups above it, below the directory `root`, the one with least room: its limit and what it uses.
 * Both 0 where there is no limit, or nothing to read.
 */
void cgroup_memory(const char *root, const char *path, u64 *ret_limit, u64 *ret_used);

#endif
