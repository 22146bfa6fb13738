/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* May a call have a return leg of the kernel's? */
#include "filter.bpf.h"

/*
 * The kernel keeps a list of the return legs that a thread has pending, the youngest first. When it adds one it drops those
 * whose place on the stack is not above the new one, as left by longjmp (cleanup_return_instances in
 * kernel/events/uprobes.c). But they may be waited for on another stack: a signal handler runs on an alternate stack
 * that lies above the thread's own. The thread would die in the trampoline that stands where its return address was. Whether
 * it still stands there proves nothing: the trampoline itself, which a signal may interrupt, overwrites the place. So one that
 * longjmp has really left keeps calls from having a leg until the kernel adds one below it. Those further down the list lie
 * above the youngest. At its very place the return address of this call stands: it was jumped to by the call that waits, and the
 * kernel chains the two; or nothing waits there any longer.
 */
static __always_inline bool return_leg_would_drop_another(u64 sp)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct uprobe_task *probes = BPF_CORE_READ(task, utask);
	struct return_instance *youngest = probes ? BPF_CORE_READ(probes, return_instances) : NULL;

	return youngest && sp > BPF_CORE_READ(youngest, stack);
}
