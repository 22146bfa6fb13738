/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Return addresses that return probes hide, this heaptap's and others': while one waits, the kernel's trampoline stands where the
 * return address was, and the kernel remembers that one with its place on the stack.
 */
#include <bpf/bpf_core_read.h>

#include "map.bpf.h"

#define HIDDEN_MAX 16 /* waiting return probes of one thread that are looked at */

/* The one whose place that is; 0: no probe waits there. */
__weak __noinline u64 hidden_return(u64 place)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct uprobe_task *probes = BPF_CORE_READ(task, utask);
	struct return_instance *pending = probes ? BPF_CORE_READ(probes, return_instances) : NULL;

	for (u32 i = 0; i < HIDDEN_MAX && pending; i++) {
		if (BPF_CORE_READ(pending, stack) == place)
			return BPF_CORE_READ(pending, orig_ret_vaddr);
		pending = BPF_CORE_READ(pending, next);
	}
	return 0;
}

/* Where the trampoline is; 0: the process has none. */
static __always_inline u64 hidden_trampoline(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct xol_area *area = mm ? BPF_CORE_READ(mm, uprobes_state.xol_area) : NULL;

	return area ? BPF_CORE_READ(area, vaddr) : 0;
}

/*
 * The one of a function that is at its entry, `sp` being what it was called with; 0: none is hidden. A probe of a function's first
 * instruction has hidden it from all that stands behind.
 */
__weak __noinline u64 hidden_at_entry(u64 sp)
{
	u64 trampoline = hidden_trampoline(), found;

	if (!trampoline || bpf_probe_read_user(&found, sizeof(found), (void *)sp) || found != trampoline)
		return 0;
	return hidden_return(sp);
}
