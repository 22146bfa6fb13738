/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Which processes belong to the population being traced, beside those that user space names (include/config.h). */
#include "filter.bpf.h"

#define HIERARCHY_V2 0 /* the kernel's number of the version 2 hierarchy */

/* Is it the group, or below it? */
static __always_inline bool group_has(struct cgroup *cgroup)
{
	struct cgroup *ancestor;
	u32 level = group.level;

	if ((u32)BPF_CORE_READ(cgroup, level) < level)
		return false;
	if (bpf_core_read(&ancestor, sizeof(ancestor), &cgroup->ancestors[level]))
		return false;
	return BPF_CORE_READ(ancestor, kn, id) == group.id;
}

/* heaptap, the process that holds its links, and the children of that. */
static __always_inline bool is_heaptap(struct task_struct *task, u32 parent)
{
	u32 pid = filter_pid_of(task);

	return pid == config.self || pid == config.keeper || parent == config.keeper;
}

/* Does a process belong to the population by what it is, not by whose child it is? */
static __always_inline bool population_has(struct task_struct *task)
{
	u32 parent = filter_pid_of(BPF_CORE_READ(task, real_parent));

	if (!BPF_CORE_READ(task, mm) || is_heaptap(task, parent))
		return false;
	if (population == POPULATION_CGROUP)
		return group_has(BPF_CORE_READ(task, cgroups, dfl_cgrp));
	return population == POPULATION_ALL && parent != config.self;
}

/* Do --comm and --exe want this process of the population? */
static __always_inline bool population_wants(struct task_struct *task)
{
	struct task_struct *leader;
	struct inode *inode;
	char comm[16];

	if (config.exe_inode) {
		inode = BPF_CORE_READ(task, mm, exe_file, f_inode);
		if (BPF_CORE_READ(inode, i_ino) != config.exe_inode ||
		    BPF_CORE_READ(inode, i_sb, s_dev) != config.exe_device)
			return false;
	}
	if (!config.comm[0])
		return true;
	leader = BPF_CORE_READ(task, group_leader);
	bpf_core_read(comm, sizeof(comm), &leader->comm);
	for (u32 i = 0; i < sizeof(comm); i++) {
		if (comm[i] != config.comm[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}
