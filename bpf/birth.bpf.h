/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A sampled object is born: at its call's return, or at the entry of a call whose return is not waited for. */
#include "filter.bpf.h"
#include "heap.bpf.h"
#include "stack.bpf.h"

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
__weak __noinline int object_begin(struct birth *birth)
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
