/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where the control groups of this machine are mounted. Groups of version 2 are what heaptap scopes by: at
 * /sys/fs/cgroup on an ordinary host; beside the controllers of version 1, at /sys/fs/cgroup/unified, on a hybrid one.
 *
 * A group is named as the kernel names it in /proc/PID/cgroup: "/a/b", "/" for the top.
 */
#include <sys/types.h>

#include "include/types.h"

struct cgroup_mount {
	char *point;	   /* "/sys/fs/cgroup/memory" */
	char *top;	   /* the group that is mounted there: "" for the whole hierarchy */
	char *controllers; /* options of its file system, "rw,memory"; of version 1 alone, else NULL */
};

struct cgroup_mounts {
	char *root; /* prefix of every path that is opened: "" for this machine, a directory in tests */
	struct cgroup_mount v2;
	struct cgroup_mount *v1;
	unsigned int v1_count;
};

/* Read `root`/proc/self/mountinfo. 0, -ENOTSUP where version 2 is not mounted, or another negative errno. */
int cgroup_mounts_open(const char *root, struct cgroup_mounts *ret_mounts);
void cgroup_mounts_release(struct cgroup_mounts *mounts);

/* Where the directory of a version 2 group can be opened; allocated. NULL: outside what is mounted, or no memory. */
char *cgroup_mounts_directory(const struct cgroup_mounts *mounts, const char *group);

/*
 * /proc/PID/cgroup below `root`, which names the group of a process in each hierarchy; allocated. NULL: no such process. For all that
 * is asked of one process, since the kernel takes long to write it.
 */
char *cgroup_mounts_lines(const char *root, pid_t pid);

/*
 * The group of such a process, allocated: the one of version 2 if `controller` is NULL, else that of the version 1
 * hierarchy with the controller. NULL: no such group.
 */
char *cgroup_mounts_group_in(const char *lines, const char *controller);

/* The same for a process below `root`; NULL also: no such process. */
char *cgroup_mounts_group(const char *root, pid_t pid, const char *controller);

/*
 * Where cgroup_memory finds the memory limit of a process: the directory and the path below it, both allocated. They are
 * of the memory controller of version 1 where it is mounted, else of version 2. 0, -ESRCH or -ENOMEM.
 */
int cgroup_mounts_memory_in(const struct cgroup_mounts *mounts, const char *lines, char **ret_directory,
			    char **ret_path);
int cgroup_mounts_memory(const struct cgroup_mounts *mounts, pid_t pid, char **ret_directory, char **ret_path);

/* The rest of `path` after `prefix`, by whole components: "" or "/...". NULL: it does not begin with it. */
const char *cgroup_mounts_below(const char *prefix, const char *path);
