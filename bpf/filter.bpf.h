/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Which process is this, and is it traced? */
#include <bpf/bpf_core_read.h>

#include "map.bpf.h"

#define PIDNS_DEPTH_MAX 32 /* the kernel's MAX_PID_NS_LEVEL */

/*
 * A process's number in heaptap's PID namespace, 0 when it has none there. Walked by hand rather than asked of
 * bpf_get_ns_current_pid_tgid, which knows only processes whose own namespace is heaptap's, not those in nested ones.
 */
static __always_inline u32 filter_pid_in_namespace(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, signal, pids[PIDTYPE_TGID]);
	u32 level = BPF_CORE_READ(pid, level);
	struct upid upid;

	for (u32 i = 0; i <= PIDNS_DEPTH_MAX; i++) {
		if (i > level)
			break;
		if (bpf_core_read(&upid, sizeof(upid), &pid->numbers[i]))
			break;
		if (BPF_CORE_READ(upid.ns, ns.inum) == config.pidns_inum)
			return upid.nr;
	}
	return 0;
}

static __always_inline u32 filter_pid_of(struct task_struct *task)
{
	return config.pidns_inum ? filter_pid_in_namespace(task) : (u32)BPF_CORE_READ(task, tgid);
}

static __always_inline u32 filter_pid(void)
{
	if (!config.pidns_inum)
		return bpf_get_current_pid_tgid() >> 32;
	return filter_pid_in_namespace((void *)bpf_get_current_task());
}

/* The scope of process `pid` with its number, NULL when it is not traced. */
static __always_inline struct scope *filter_scope_of(u32 pid, u32 *ret_number)
{
	u32 *found = bpf_map_lookup_elem(&scope_by_pid, &pid);

	if (!found)
		return NULL;
	*ret_number = *found;
	return bpf_map_lookup_elem(&scopes, ret_number);
}

/* The same of the current process. */
static __always_inline struct scope *filter_scope(u32 *ret_number)
{
	return filter_scope_of(filter_pid(), ret_number);
}

/* Functions that throw, and the sampler in the process, have unfiltered links only, whichever processes are traced. */
static __always_inline bool is_unfiltered(const struct scope *scope, u32 kind)
{
	return kind == CALL_INLINE || (kind >= CALL_NEW && scope->wide < SCOPE_INLINE);
}

/* The process number behind the hit, 0 when the process is not (yet, or no longer) traced, or not through this link. */
static __always_inline u32 hit_process(u64 cookie)
{
	u32 number = cookie_scope(cookie), wide = number == SCOPE_BY_PID;
	struct scope *scope = wide ? filter_scope(&number) : bpf_map_lookup_elem(&scopes, &number);

	return scope && (scope->wide == wide || (wide && is_unfiltered(scope, cookie_kind(cookie)))) ? scope->process
												     : 0;
}
