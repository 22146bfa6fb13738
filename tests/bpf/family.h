/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Processes as the kernel has them, for programs that decide who is traced: names, executables, cgroups, parents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bpf_stub.h"

#include "bpf/process.bpf.c"

#define HEAPTAP 900
#define KEEPER	901
#define PARENT	2000
#define CHILD	2100
#define SCOPE	4 /* of the parent, where it is traced */
#define PROCESS 9
#define FREE	10 /* first scope number, and first process number, that are free */
#define ROOM	5

#include "told.h"

struct member {
	struct task_struct task;
	struct signal_struct signal;
	struct pid pid;
	struct mm_struct mm;
	struct file file;
	struct inode inode;
	struct css_set set;
};

/* A hierarchy: the root, a group in it, one in that, and another. */
static struct node {
	struct cgroup cgroup;
	struct kernfs_node file;
} nodes[4];
static struct node *const root = nodes, *const inside = nodes + 1, *const below = nodes + 2, *const outside = nodes + 3;
static struct cgroup_root version_2 = {.hierarchy_id = HIERARCHY_V2};
static struct super_block disk = {.s_dev = 8 << 20 | 1};
static struct pid_namespace space = {.ns = {.inum = 5000}};
static struct member heaptap, keeper, parent, child;

static inline void make_group(struct node *node, struct node *above, u64 id)
{
	*node = (struct node){.file = {.id = id}};
	node->cgroup.kn = &node->file;
	node->cgroup.root = &version_2;
	if (above) {
		memcpy(node->cgroup.ancestors, above->cgroup.ancestors, sizeof(node->cgroup.ancestors));
		node->cgroup.level = above->cgroup.level + 1;
	}
	node->cgroup.ancestors[node->cgroup.level] = &node->cgroup;
}

static inline void born(struct member *member, int number, struct member *of, const char *comm)
{
	*member = (struct member){.signal = {.live = {.counter = 1}}, .inode = {.i_ino = 77, .i_sb = &disk}};
	member->pid.numbers[0] = (struct upid){.nr = number + 50000, .ns = &space};
	member->signal.pids[PIDTYPE_TGID] = &member->pid;
	member->file.f_inode = &member->inode;
	member->mm.exe_file = &member->file;
	member->set.dfl_cgrp = &outside->cgroup;
	member->task = (struct task_struct){.pid = number,
					    .tgid = number,
					    .real_parent = &of->task,
					    .group_leader = &member->task,
					    .signal = &member->signal,
					    .mm = &member->mm,
					    .cgroups = &member->set};
	memcpy(member->task.comm, comm, strlen(comm));
}

static inline void become(struct member *member)
{
	stub.task = &member->task;
	stub.pid_tgid = (u64)member->task.tgid << 32 | (u32)member->task.pid;
}

/* An untraced family outside the group; numbers are free. */
static inline int setup(void **state)
{
	(void)state;
	stub_reset(1 << 16);
	config = (struct config){.sample_bytes = 1, .ring_half = 1 << 15, .tally_mask = SCOPES_MIN - 1};
	config.self = HEAPTAP;
	config.keeper = KEEPER;
	population = POPULATION_LISTED;
	population_refused = population_unheard = 0;
	group = (struct group){.id = 100, .level = 1, .path = "/inside"};
	make_group(root, NULL, 1);
	make_group(inside, root, 100);
	make_group(below, inside, 101);
	make_group(outside, root, 102);
	born(&heaptap, HEAPTAP, &heaptap, "heaptap");
	born(&keeper, KEEPER, &heaptap, "heaptap-links");
	born(&parent, PARENT, &parent, "parent");
	born(&child, CHILD, &parent, "parent");
	for (u32 i = FREE; i < FREE + ROOM; i++) {
		bpf_map_push_elem(&free_scopes, &i, BPF_ANY);
		bpf_map_push_elem(&free_processes, &i, BPF_ANY);
	}
	become(&parent);
	return 0;
}

static inline struct scope *scope_row(u32 number)
{
	return bpf_map_lookup_elem(&scopes, &number);
}

/* 0: none */
static inline u32 scope_of(u32 pid)
{
	u32 *found = bpf_map_lookup_elem(&scope_by_pid, &pid);

	return found ? *found : 0;
}

/* User space has named the parent. */
static inline void trace_parent(void)
{
	struct scope scope = {.process = PROCESS, .pid = PARENT, .told = 1, .new_max = 12345, .mappings = 77};
	u32 pid = PARENT, number = SCOPE;

	bpf_map_update_elem(&scopes, &number, &scope, BPF_ANY);
	bpf_map_update_elem(&scope_by_pid, &pid, &number, BPF_ANY);
}

/* User space has settled what was before: these rows keep their old contents. */
static inline void litter_free_rows(void)
{
	for (u32 i = FREE; i < FREE + ROOM; i++)
		memset(scope_row(i), 0xa5, sizeof(struct scope));
}

static inline struct event_process next_event(enum event_kind kind)
{
	size_t size = 0;
	const struct event_process *event = stub_ring_next(&size);

	assert_non_null(event);
	assert_int_equal(size, sizeof(*event));
	assert_int_equal(event->header.kind, kind);
	return *event;
}

static inline void assert_free(u32 scope_count, u32 process_count)
{
	assert_int_equal(stub_queued(&free_scopes), scope_count);
	assert_int_equal(stub_queued(&free_processes), process_count);
}

/* The child's first image has begun, and user space knows. */
static inline void assert_child_begins(enum event_kind kind, u32 tid)
{
	struct event_process event = next_event(kind);

	assert_int_equal(event.header.process, 0);
	assert_int_equal(event.pid, CHILD);
	assert_int_equal(event.tid, tid);
	assert_int_equal(event.parent, PARENT);
	assert_int_equal(event.next, FREE);
	assert_int_equal(event.scope, FREE);
	assert_int_equal(scope_of(CHILD), FREE);
	assert_int_equal(scope_row(FREE)->process, FREE);
	assert_int_equal(scope_row(FREE)->pid, CHILD);
	assert_int_equal(scope_row(FREE)->wide, 1);
	assert_int_equal(scope_row(FREE)->told, 1);
	assert_int_equal(scope_row(FREE)->mappings_process, 0);
	assert_int_equal(scope_row(FREE)->mappings, 0);
	assert_free(ROOM - 1, ROOM - 1);
	assert_no_event();
}

static inline void assert_child_is_not_traced(void)
{
	assert_no_event();
	assert_int_equal(scope_of(CHILD), 0);
	assert_free(ROOM, ROOM);
	assert_int_equal(population_refused, 0);
}

static inline void end(struct member *member)
{
	become(member);
	member->signal.live.counter = 0;
	process_exit(&member->task);
}

/* A child between vfork and exec. */
static inline void share_memory(void)
{
	trace_parent();
	child.task.mm = parent.task.mm;
	process_fork(&parent.task, &child.task);
}
