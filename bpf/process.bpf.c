/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of traced processes: exec begins a new image with a new process number at once, in the kernel, so that no
 * allocation of the new image can meet the old one's objects; the last thread's exit ends it. A child in a
 * population is traced from its birth, before it runs.
 *
 * Fields of tasks are read by BPF_CORE_READ: the verifier searches all of the kernel's types by name at each pointer that is followed
 * directly, some 1 ms each.
 */
#include "vmlinux.h"

#include <bpf/bpf_tracing.h>

#include "emit.bpf.h"
#include "population.bpf.h"

#define PAGE_BYTES 4096
/* linux/mm_types_task.h */
#define RSS_FILE  0
#define RSS_ANON  1
#define RSS_SHMEM 3

#define SIGNAL_GROUP_EXIT 4 /* linux/sched/signal.h; no types describe it */

static __always_inline u64 cpu_time(struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	u64 ns = BPF_CORE_READ(task, signal, sum_sched_runtime) + BPF_CORE_READ(task, se.sum_exec_runtime);

	/* A leader that left early stays a zombie, not yet in the sum of the dead. */
	if (leader != task)
		ns += BPF_CORE_READ(leader, se.sum_exec_runtime);
	return ns;
}

/* The kernel's own maximum is not brought up to date when the OOM killer takes the memory away. */
static __always_inline u64 max_rss(struct task_struct *task, const struct scope *scope)
{
	u64 pages = BPF_CORE_READ(task, signal, maxrss);

	return (pages > scope->victim_pages ? pages : scope->victim_pages) * PAGE_BYTES;
}

/* False: the ring is full, user space will not hear of it. */
static __always_inline bool emit_process(enum event_kind kind, struct task_struct *task, const struct scope *scope,
					 u32 number, u32 tid, u32 next)
{
	struct event_process *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	struct task_struct *leader;

	if (!event) {
		count(next ? next : scope->process, COUNTER_EVENT_LOST);
		return false;
	}
	/* Set for a process that the OOM killer chose, before the lock is given back that the exit takes. */
	emit_header(&event->header, kind, scope->process,
		    kind == EVENT_EXIT && BPF_CORE_READ(task, signal, oom_mm) ? EVENT_OOM_VICTIM : 0);
	event->pid = scope->pid;
	event->tid = tid;
	event->next = next;
	event->scope = number;
	event->cpu_ns = cpu_time(task);
	event->parent = next ? filter_pid_of(BPF_CORE_READ(task, real_parent)) : 0;
	event->wait_status = kind == EVENT_EXIT ? (u32)BPF_CORE_READ(task, signal, group_exit_code) : 0;
	event->max_rss_bytes = kind == EVENT_EXIT ? max_rss(task, scope) : 0;
	/* The last thread to go need not be the one that the process is named by. */
	leader = BPF_CORE_READ(task, group_leader);
	bpf_core_read(event->comm, sizeof(event->comm), &leader->comm);
	/* What begins has files to be looked at while it runs, and links may have to be made anew. What has ended can wait. */
	bpf_ringbuf_submit(event, kind == EVENT_EXIT ? emit_flags() : BPF_RB_FORCE_WAKEUP);
	return true;
}

static __always_inline void refuse(void)
{
	__sync_fetch_and_add(&population_refused, 1);
}

/* A process number for a new image, 0 when all are in use. */
static __always_inline u32 draw_process(void)
{
	u32 process = 0;

	if (bpf_map_pop_elem(&free_processes, &process)) {
		refuse();
		return 0;
	}
	return process;
}

/* False: it has been forgotten already. */
static __always_inline bool forget_pid(u32 pid)
{
	return !bpf_map_delete_elem(&scope_by_pid, &pid);
}

/*
 * The scope's process is traced no longer, as `kind` says. User space gives the scope's number back, unless it has never
 * heard of the scope and does not hear of its end either. Two threads that die together may both be the last: only one of them may give
 * the number back.
 */
static __always_inline void scope_end(struct task_struct *task, u32 kind, struct scope *scope, u32 number)
{
	if (!forget_pid(scope->pid))
		return;
	if ((scope->told || scope->process) && emit_process(kind, task, scope, number, scope->pid, 0))
		scope->told = 1;
	else if (scope->process && !scope->told)
		__sync_fetch_and_add(&population_unheard, 1);
	scope->process = 0;
	scope->pid = 0;
	if (!scope->told)
		bpf_map_push_elem(&free_scopes, &number, BPF_ANY);
}

/*
 * A scope for process `pid`, and its first image if it is wanted: `kind` tells how that came to be, `tid` as struct
 * event_process has it. `before`: the parent's scope, NULL.
 */
static __noinline int scope_begin(struct task_struct *task, u32 kind, u32 pid, u32 tid, const struct scope *before)
{
	u32 number = 0, process;
	struct scope *scope;

	/* Heaptap's own PID namespace does not have it. */
	if (!pid)
		return 0;
	if (bpf_map_pop_elem(&free_scopes, &number)) {
		refuse();
		return 0;
	}
	scope = bpf_map_lookup_elem(&scopes, &number);
	if (!scope)
		return 0;
	scope->process = 0;
	scope->pid = pid;
	scope->wide = kind == EVENT_FORK && before && before->wide == SCOPE_INLINE ? SCOPE_INLINE : 1;
	scope->mappings_process = 0;
	scope->mappings = 0;
	scope->new_max = before ? before->new_max : 0;
	scope->victim_pages = 0;
	process = population_wants(task) ? draw_process() : 0;
	scope->told = 0;
	if (bpf_map_update_elem(&scope_by_pid, &pid, &number, BPF_NOEXIST)) {
		/* User space was first. */
		bpf_map_push_elem(&free_scopes, &number, BPF_ANY);
		if (process)
			bpf_map_push_elem(&free_processes, &process, BPF_ANY);
		return 0;
	}
	if (!process)
		return 0;
	scope->told = emit_process(kind, task, scope, number, tid, process);
	scope->process = process;
	return 0;
}

static __always_inline void exec_traced(struct task_struct *task, struct scope *scope, u32 number, u32 old_pid)
{
	bool wanted = population == POPULATION_LISTED || population_wants(task);
	u32 next = wanted ? draw_process() : 0;

	/* Before user space, which may find it links of its own, hears of it. */
	if (scope->wide == SCOPE_INLINE)
		scope->wide = 1;
	if (next || scope->process) {
		/* A pid that was another one before: a thread that was not the leader called exec and has its place
		 * now. */
		scope->told |= emit_process(EVENT_EXEC, task, scope, number,
					    old_pid == (u32)BPF_CORE_READ(task, tgid) ? scope->pid : old_pid, next);
	}
	scope->process = next;
}

SEC("tp_btf/sched_process_exec") int BPF_PROG(process_exec, struct task_struct *task, int old_pid)
{
	u32 number = 0, pid = filter_pid();
	struct scope *scope = filter_scope_of(pid, &number), *lender = NULL;

	if (scope && scope->pid != pid) {
		/* A child that has shared its parent's memory up to now. */
		forget_pid(pid);
		lender = scope;
		scope = NULL;
	}
	if (scope)
		exec_traced(task, scope, number, (u32)old_pid);
	else if ((lender && population == POPULATION_FOLLOW) || (population_has(task) && population_wants(task)))
		scope_begin(task, EVENT_EXEC, pid, pid, lender);
	return 0;
}

SEC("tp_btf/sched_process_exit") int BPF_PROG(process_exit, struct task_struct *task)
{
	bool last = !BPF_CORE_READ(task, signal, live.counter),
	     leader = BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid);
	u32 number = 0, pid = filter_pid();
	struct scope *scope;

	if (!last && !leader)
		return 0;
	scope = filter_scope_of(pid, &number);
	if (!scope)
		return 0;
	if (scope->pid != pid) {
		if (last)
			forget_pid(pid);
		return 0;
	}
	if (last)
		scope_end(task, EVENT_EXIT, scope, number);
	else if (scope->told && (!scope->wide || scope->wide == SCOPE_PAUSED) &&
		 !(BPF_CORE_READ(task, signal, flags) & SIGNAL_GROUP_EXIT))
		/* Filtered links are blind once the main thread is gone; where the whole process ends, nobody runs on. */
		emit_process(EVENT_LEADER_EXIT, task, scope, number, scope->pid, 0);
	return 0;
}

/*
 * The OOM killer has chosen a process. Which arguments the tracepoint has is not told by its name: since 6.9 the task, and from then on
 * its record has the sizes too. Stable kernels took that over, and may count memory in another way, as before 6.2. There, what is known of the size
 * is what user space saw last.
 */
SEC("raw_tp/mark_victim") int BPF_PROG(process_victim, struct task_struct *task)
{
	struct trace_event_raw_mark_victim *record = NULL;
	struct scope *scope;
	struct mm_struct *mm = NULL;
	u32 number = 0;

	if (!bpf_core_field_exists(record->anon_rss) || !bpf_core_field_exists(mm->rss_stat[RSS_ANON].count))
		return 0;
	scope = filter_scope_of(filter_pid_of(task), &number);
	mm = BPF_CORE_READ(task, mm);
	if (scope && mm)
		scope->victim_pages = (u32)(BPF_CORE_READ(mm, rss_stat[RSS_FILE].count) +
					    BPF_CORE_READ(mm, rss_stat[RSS_ANON].count) +
					    BPF_CORE_READ(mm, rss_stat[RSS_SHMEM].count));
	return 0;
}

SEC("tp_btf/sched_process_fork") int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	struct scope *scope;
	u32 number = 0, pid;

	if (BPF_CORE_READ(parent, tgid) == BPF_CORE_READ(child, tgid))
		return 0;
	scope = filter_scope(&number);
	if ((!scope || population != POPULATION_FOLLOW) && !population_has(child)) {
		if (scope && scope->process)
			count(scope->process, COUNTER_CHILDREN);
		return 0;
	}
	pid = filter_pid_of(child);
	if (scope && BPF_CORE_READ(parent, mm) == BPF_CORE_READ(child, mm))
		/* What it allocates is its parent's, until it execs. */
		bpf_map_update_elem(&scope_by_pid, &pid, &number, BPF_NOEXIST);
	else if (population == POPULATION_FOLLOW || (population_wants(child) && (scope || !group.programs_only)))
		scope_begin(child, EVENT_FORK, pid, filter_pid(), scope);
	return 0;
}

SEC("?tp_btf/cgroup_attach_task")
int BPF_PROG(process_moved, struct cgroup *to, const char *path, struct task_struct *task, bool whole_process)
{
	struct scope *scope;
	u32 number = 0, pid;

	(void)to;
	(void)path;
	if (population != POPULATION_CGROUP || !whole_process)
		return 0;
	pid = filter_pid_of(task);
	scope = filter_scope_of(pid, &number);
	if (!scope && !group.programs_only && population_has(task) && population_wants(task)) {
		scope_begin(task, EVENT_ENTER, pid, pid, NULL);
	} else if (scope && scope->pid == pid && !population_has(task)) {
		scope_end(task, EVENT_LEAVE, scope, number);
	}
	return 0;
}

/* Is that the name of the group? Both end with a zero. */
static __always_inline bool group_is_called(const char *path)
{
	char byte = 0;

	for (u32 i = 0; i < GROUP_PATH_MAX; i++) {
		if (bpf_probe_read_kernel(&byte, sizeof(byte), path + i) || byte != group.path[i])
			return false;
		if (!byte)
			return true;
	}
	return false;
}

/* A container that is started again runs in a new group of the same name. No process can be in it yet. */
SEC("?tp_btf/cgroup_mkdir") int BPF_PROG(group_made, struct cgroup *cgroup, const char *path)
{
	if (population != POPULATION_CGROUP || BPF_CORE_READ(cgroup, root, hierarchy_id) != HIERARCHY_V2 ||
	    !group_is_called(path))
		return 0;
	group.id = BPF_CORE_READ(cgroup, kn, id);
	__sync_fetch_and_add(&group.made, 1);
	return 0;
}
