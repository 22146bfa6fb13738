/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the memory of a control group consists of, as the kernel charges it to the group (cgroup v2's memory.stat; cgroup-v1/memory.rst). */
#include "include/types.h"

/* Bytes. A page of a file is charged to the group that read it first, and stays so while it is cached. */
struct cgroup_usage {
	bool known;
	u64 used, limit; /* memory.current, memory.max; limit 0: none */
	u64 anon, file;	 /* of processes; of files, with shared memory and what is cached */
	u64 kernel;	 /* page tables, stacks, slabs; 0 also where the kernel does not say */
	u64 sock;	 /* buffers of sockets */
	u64 swap;
};

/* Arguments as of cgroup_memory, but of that group alone. Unknown where the directory has no memory controller. */
struct cgroup_usage cgroup_usage_read(const char *root, const char *path);
