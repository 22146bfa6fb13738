/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A control group: its processes, the groups below it, and the memory limit that it is under. */
#include <sys/types.h>

#include "include/types.h"

struct cgroup_mounts;

#define CGROUP_ROOT "/sys/fs/cgroup"

/* One group of version 2. */
struct cgroup {
	char *path;	    /* as in /proc/PID/cgroup: "/a/b" */
	char *directory;    /* where it can be opened */
	u64 id;		    /* what bpf_get_current_cgroup_id says in it: the inode of its directory */
	unsigned int level; /* components of its path below what is mounted, the kernel's cgroup.level: 0 for the top */
};

/* The group of that path, if it is there; it may be empty. 0 or -ENOENT. */
int cgroup_open(const struct cgroup_mounts *mounts, const char *path, struct cgroup *ret_group);
void cgroup_release(struct cgroup *group);

u64 cgroup_id(const char *directory); /* of the group with that directory; 0: there is none */

/* 0 when there is a process in it or below, even one without a number here; -ENODATA, -ENOENT (it is gone), -ENOMEM. */
int cgroup_check(const struct cgroup *group);

/*
 * Call `each` for the directory and all below it, parents first, until it returns non-zero: returns that. 0 at the end;
 * negative errno when the first cannot be read (those below may be removed meanwhile), or -ENOMEM.
 */
int cgroup_for_each_below(const char *directory, int (*each)(const char *directory, void *arg), void *arg);

/*
 * The same for every process in them. A process that moves meanwhile may be seen twice, or not at all; a caller that must
 * not miss any watches the group first. Processes of another PID namespace have no number here: *ret_hidden, unless NULL,
 * counts them.
 */
int cgroup_for_each_process(const char *directory, int (*each)(pid_t pid, void *arg), void *arg,
			    unsigned int *ret_hidden);

/*
 * Limit and use of memory in bytes, of version 2 or of the memory controller of version 1 (cgroup_mounts_memory finds both
 * arguments). Looked at are `path`, below the directory `root`, and the groups above it up to `root`; the one with least room counts.
 * Both 0 where there is no limit, or nothing to read.
 */
void cgroup_memory(const char *root, const char *path, u64 *ret_limit, u64 *ret_used);

/* The same without files that the kernel keeps in memory, and gives up before anything is killed. */
void cgroup_memory_needed(const char *root, const char *path, u64 *ret_limit, u64 *ret_used);

/*
 * Below which size, in bytes, C++'s operator new is not expected to fail, and so to throw: 1 GiB; less where the limit
 * leaves less room (`limit` and `used` as of cgroup_memory); 0 where the kernel does not overcommit. The BPF programs
 * check the limits of the process itself (RLIMIT_AS, RLIMIT_DATA) at each call.
 */
u32 cgroup_memory_new_max(u64 limit, u64 used);
