/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A sampled object is born: at its call's return, or at the entry of a call whose return is not waited for. */
#include "filter.bpf.h"
#include "heap.bpf.h"
#include "stack.bpf.h"

/* From the kernel's resource.h. */
#define RLIMIT_DATA   2
#define RLIMIT_AS     9
#define RLIM_INFINITY (~0UL)

struct birth {
	struct stash stash;
	u64 addr; /* 0: not known */
	struct unwind_registers at;
	u32 scope; /* of the cookie */
	u32 reserved;
};

/* Asks for the cookie again, so that no entry has to keep it. */
static __always_inline void birth_at(struct pt_regs *ctx, struct birth *birth)
{
	birth->at = (struct unwind_registers){.ip = ctx->ip, .sp = ctx->sp, .bp = ctx->bp, .bx = ctx->bx};
	birth->scope = cookie_scope(bpf_get_attach_cookie(ctx));
	birth->reserved = 0;
}

/* A global function is verified by itself, once, whatever leads to it: walking a stack is the most of the work. */
__noinline int object_begin(struct birth *birth)
{
	struct scope *scope;
	u32 number;

	if (!birth)
		return 0;
	number = birth->scope;
	scope = number == SCOPE_BY_PID ? filter_scope(&number) : bpf_map_lookup_elem(&scopes, &number);
	heap_begin(&birth->stash, birth->addr, stack_capture(&birth->at, &birth->stash, scope));
	return 0;
}

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
	birth.stash.entered = 1;
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
