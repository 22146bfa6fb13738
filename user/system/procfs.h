/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSTEM_PROCFS_H
#define SYSTEM_PROCFS_H
/* What /proc says of one process. Everything may be gone between two calls: every function can fail with -ESRCH. */
#include <sys/types.h>

#include "include/types.h"

struct mapping;

/* A thread of `pid` that still runs: pid itself, unless its main thread has exited. 0: the process is gone or a zombie.
 */
pid_t procfs_live_thread(pid_t pid);

pid_t procfs_process(pid_t tid); /* the process a thread belongs to; 0: no such thread */

int procfs_comm(pid_t pid, char ret_comm[16]);
char *procfs_exe(pid_t pid);	 /* allocated, " (deleted)" cut; NULL: unknown */
char *procfs_cgroup(pid_t pid);	 /* the v2 path, allocated; NULL: unknown */
u64 procfs_rss_bytes(pid_t pid); /* 0: unknown */
u64 procfs_cpu_ns(pid_t pid);	 /* CPU time of all threads, the dead ones too; 0: unknown */

pid_t procfs_parent(pid_t pid);	  /* 0: unknown, or none here */
bool procfs_maps_code(pid_t pid); /* false: gone, or a thread of the kernel */

/* Call `each` for every executable mapping, until it returns non-zero; returns that, or 0, or negative errno. */
int procfs_for_each_mapping(pid_t pid, int (*each)(struct mapping *mapping, void *arg), void *arg);

/*
 * Open the file behind a mapping: the mapped inode itself through map_files, never its name; where map_files may not be
 * used, or another file is mapped there by now, the path through the process's own root, accepted only if device and
 * inode agree. A descriptor or negative errno (-ESTALE: the path names another file by now).
 */
int procfs_open_mapping(pid_t pid, const struct mapping *mapping);
int procfs_open_name(pid_t pid, const struct mapping *mapping); /* by the path alone */

#endif
