/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The kernel types of vmlinux/vmlinux.h as plain C, for the programs compiled for the host. */
#include "include/types.h"
#include "vmlinux/pt_regs.h"

struct ns_common {
	unsigned int inum;
};

struct pid_namespace {
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

/* The kernel's array is as long as level says; here long enough for nested namespaces and one more. */
struct pid {
	unsigned int level;
	struct upid numbers[40];
};

enum pid_type {
	PIDTYPE_PID = 0,
	PIDTYPE_TGID = 1,
};

struct rlimit {
	unsigned long rlim_cur;
};

struct kernfs_node {
	u64 id;
};

struct cgroup_root {
	int hierarchy_id;
};

/* Here as deep as a test needs. */
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
	struct cgroup *ancestors[4];
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct super_block {
	unsigned int s_dev;
};

struct inode {
	unsigned long i_ino;
	struct super_block *i_sb;
};

struct file {
	struct inode *f_inode;
};

struct vm_area_struct {
	unsigned long vm_start, vm_end;
	unsigned long vm_pgoff;
	struct file *vm_file;
	unsigned long vm_flags;
};

struct signal_struct {
	struct {
		int counter;
	} live;
	int group_exit_code;
	unsigned int flags;
	struct pid *pids[4];
	unsigned long long sum_sched_runtime;
	unsigned long maxrss;
	struct rlimit rlim[16];
	struct mm_struct *oom_mm;
};

struct sched_entity {
	u64 sum_exec_runtime;
};

struct return_instance {
	unsigned long stack;
	unsigned long orig_ret_vaddr;
	struct return_instance *next;
};

struct uprobe_task {
	struct return_instance *return_instances;
};

struct xol_area {
	unsigned long vaddr;
};

struct uprobes_state {
	struct xol_area *xol_area;
};

struct percpu_counter {
	s64 count;
};

struct mm_struct {
	struct file *exe_file;
	struct uprobes_state uprobes_state;
	struct percpu_counter rss_stat[4];
	unsigned long brk;
};

struct trace_event_raw_mark_victim {
	unsigned long anon_rss;
};

struct thread_info {
	u32 status;
};

struct task_struct {
	struct thread_info thread_info;
	struct sched_entity se;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	char comm[16];
	struct mm_struct *mm;
	struct css_set *cgroups;
	struct uprobe_task *utask;
};
