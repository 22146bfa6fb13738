/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of traced processes: exec begins a new image with a new process number at once, in the kernel, so that no
 * allocation of the new image can meet the old one's objects; the last thread's exit ends it.
 */
#include "vmlinux.h"

#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "filter.bpf.h"

#define PAGE_BYTES 4096

static __always_inline u64 cpu_time(struct task_struct *task)
{
	u64 ns = task->signal->sum_sched_runtime + task->se.sum_exec_runtime;

	/* A leader that left early stays a zombie, not yet in the sum of the dead. */
	if (task->group_leader != task)
		ns += task->group_leader->se.sum_exec_runtime;
	return ns;
}

static __always_inline void emit_process(enum event_kind kind, struct task_struct *task, const struct scope *scope,
					 u32 number, u32 tid, u32 next)
{
	struct event_process *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);

	if (!event) {
		count(next ? next : scope->process, COUNTER_EVENT_LOST);
		return;
	}
	emit_header(&event->header, kind, scope->process, 0);
	event->pid = scope->pid;
	event->tid = tid;
	event->next = next;
	event->scope = number;
	event->cpu_ns = cpu_time(task);
	event->max_rss_bytes = kind == EVENT_EXIT ? task->signal->maxrss * PAGE_BYTES : 0;
	/* The last thread to go need not be the one that the process is named by. */
	bpf_core_read(event->comm, sizeof(event->comm), &task->group_leader->comm);
	/* Rare, and links may have to be made anew: wake the reader at once. */
	bpf_ringbuf_submit(event, BPF_RB_FORCE_WAKEUP);
}

SEC("tp_btf/sched_process_exec") int BPF_PROG(process_exec, struct task_struct *task, int old_pid)
{
	u32 number, next;
	struct scope *scope = filter_scope(&number);

	if (!scope)
		return 0;
	next = __sync_fetch_and_add(&next_process, 1) + 1;
	/* A pid that was another one before: a thread that was not the leader called exec and has its place now. */
	emit_process(EVENT_EXEC, task, scope, number, old_pid == task->tgid ? scope->pid : (u32)old_pid, next);
	scope->process = next;
	return 0;
}

SEC("tp_btf/sched_process_exit") int BPF_PROG(process_exit, struct task_struct *task)
{
	bool last = !task->signal->live.counter, leader = task->pid == task->tgid;
	struct scope *scope;
	u32 number, pid;

	if (!last && !leader)
		return 0;
	scope = filter_scope(&number);
	if (!scope)
		return 0;
	emit_process(last ? EVENT_EXIT : EVENT_LEADER_EXIT, task, scope, number, scope->pid, 0);
	if (!last)
		return 0;
	/* Two threads that die together may both be the last here; the second finds nothing more to end. */
	scope->process = 0;
	pid = scope->pid;
	bpf_map_delete_elem(&scope_by_pid, &pid);
	return 0;
}

SEC("tp_btf/sched_process_fork") int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct scope *scope;
	u32 number;

	if (parent->tgid == child->tgid)
		return 0;
	scope = filter_scope(&number);
	if (scope && scope->process)
		count(scope->process, COUNTER_CHILDREN);
	return 0;
}
