/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSTEM_CGROUP_H
#define SYSTEM_CGROUP_H
/* Control groups: the one a user means, the processes in it, and the memory limit that a process is under. */
#include <sys/types.h>

#include "include/types.h"

struct cgroup_mounts;

#define CGROUP_ROOT "/sys/fs/cgroup"

/* One group of version 2. */
struct cgroup {
	char *path;	    /* as in /proc/PID/cgroup: "/a/b" */
	char *directory;    /* to be opened */
	u64 id;		    /* what bpf_get_current_cgroup_id says in it: the inode of its directory */
	unsigned int level; /* components of its path below what is mounted, the kernel's cgroup.level: 0 for the top */
};

/*
 * The group that a user means by `wanted`: its path in the hierarchy ("system.slice/nginx.service", with or without a
 * slash before it), or its directory below where version 2 or a controller of version 1 is mounted. A group of version
 * 1 stands for the group of version 2 that its processes are in: the lowest that holds all of them.
 *
 * 0, or one of the following with *ret_why a sentence for the user (allocated; NULL when there is no memory for it):
 * -EINVAL (no path, or one with ".."), -ENOENT (no such group), -ENODATA (no process in it nor below), -ENOTUNIQ
 * (version 1, its processes share no group of version 2 but the top), -ENOTSUP (version 1, all of its processes are at
 * version 2's top), -ENOMEM.
 */
int cgroup_find(const struct cgroup_mounts *hierarchy, const char *wanted, struct cgroup *ret_group, char **ret_why);

/* The same for a path of version 2 that is already known, for instance after a restart; empty is no error. */
int cgroup_open(const struct cgroup_mounts *hierarchy, const char *path, struct cgroup *ret_group);
void cgroup_release(struct cgroup *group);

/* 0 when there is a process in it or below, even one without a number here; -ENODATA, -ENOENT (it is gone), -ENOMEM. */
int cgroup_check(const struct cgroup *group);

/*
 * Call `each` for the directory and all below it, parents first, until it returns non-zero: returns that. 0 at the end;
 * negative errno when the first cannot be read (those below may be removed meanwhile), or -ENOMEM.
 */
int cgroup_for_each_below(const char *directory, int (*each)(const char *directory, void *arg), void *arg);

/*
 * The same for every process in them. One that moves meanwhile may be told twice, or not at all: who must not miss any
 * watches the group first. Processes of another PID namespace have no number here: *ret_hidden counts them (NULL: who
 * cares).
 */
int cgroup_for_each_process(const char *directory, int (*each)(pid_t pid, void *arg), void *arg,
			    unsigned int *ret_hidden);

/*
 * Of `path` and the groups above it, below the directory `root`, the one with least room: its limit and what it uses,
 * of version 2 or of the memory controller of version 1 (cgroup_mounts_memory says which). Both 0 where there is no limit,
 * or nothing to read.
 */
void cgroup_memory(const char *root, const char *path, u64 *ret_limit, u64 *ret_used);

#endif
