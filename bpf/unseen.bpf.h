/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Calls whose return is not waited for. */
#include "birth.bpf.h"

/* From the kernel's resource.h. */
#define RLIMIT_DATA   2
#define RLIMIT_AS     9
#define RLIM_INFINITY (~0UL)

/*
 * A call whose failure would throw: the unwinder of C++ does not know the return leg's trampoline, and would end the
 * program. So where failing cannot be ruled out, or the legs are there whatever the entry says, it gets none.
 */
static __noinline bool call_may_throw(const struct stash *stash, u64 cookie)
{
	u32 number = cookie_scope(cookie);
	struct scope *scope = number == SCOPE_BY_PID ? filter_scope(&number) : bpf_map_lookup_elem(&scopes, &number);
	struct task_struct *task = (void *)bpf_get_current_task();

	return !scope || stash->size >= scope->new_max ||
	       BPF_CORE_READ(task, signal, rlim[RLIMIT_AS].rlim_cur) != RLIM_INFINITY ||
	       BPF_CORE_READ(task, signal, rlim[RLIMIT_DATA].rlim_cur) != RLIM_INFINITY;
}

/*
 * Counted without knowing the result: as allocated, its use unknown. At a site the return address is on top of the
 * stack, and the registers that outlive a call are the caller's. Not inlined: what it puts on the stack would be there on
 * the way to every birth, and 512 bytes are all that calls may have together.
 */
static __noinline void enter_only(struct pt_regs *ctx, const struct stash *stash)
{
	struct birth birth = {.stash = *stash};

	if (stash->kind == CALL_DUPLICATE) {
		count(stash->process, COUNTER_LOST_STASH);
		return;
	}
	/* More than any address space has. */
	if (stash->size >> 47) {
		count(stash->process, COUNTER_FAILED);
		return;
	}
	birth.stash.entered = STASH_ENTERED;
	birth_at(ctx, &birth);
	object_begin(&birth);
}

/* A call whose return will not be seen. The old block of a realloc is taken for dead: hardly any fails. */
static __always_inline void enter_unseen(struct pt_regs *ctx, const struct stash *stash)
{
	if (stash->old)
		heap_bury(stash);
	if (stash->sampled)
		enter_only(ctx, stash);
}
