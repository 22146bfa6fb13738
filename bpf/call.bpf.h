/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A call at its entry: its arguments, whether it is the allocator's own, and how it is remembered until it returns. */
#include "emit.bpf.h"
#include "hidden.bpf.h"

/*
 * The program context may only be read at constant offsets from an unmodified pointer, hence the switch, and the
 * assembly: the compiler would merge the loads into one at a computed address.
 */
#ifdef __bpf__
#define CALL_REGISTER_CASE(number, field)                                                                              \
	case number:                                                                                                   \
		asm volatile("%0 = *(u64 *)(%1 + %2)" : "=r"(value) : "r"(ctx), "i"(offsetof(struct pt_regs, field))); \
		break
#else
#define CALL_REGISTER_CASE(number, field)                                                                              \
	case number:                                                                                                   \
		value = ctx->field;                                                                                    \
		break
#endif

/* By this name kernels before 6.8 know the context when a global function is given it. */
struct bpf_user_pt_regs_t {
	struct pt_regs registers;
};

/* Global, so that it is verified once, and not sixteen ways out of it are followed at each call. */
__weak __noinline u64 call_register_any(struct bpf_user_pt_regs_t *context, u32 reg)
{
	struct pt_regs *ctx = &context->registers;
	u64 value = 0;

	switch (reg) {
		CALL_REGISTER_CASE(ARG_AX, ax);
		CALL_REGISTER_CASE(ARG_CX, cx);
		CALL_REGISTER_CASE(ARG_DX, dx);
		CALL_REGISTER_CASE(ARG_BX, bx);
		CALL_REGISTER_CASE(ARG_BP, bp);
		CALL_REGISTER_CASE(ARG_SI, si);
		CALL_REGISTER_CASE(ARG_R8, r8);
		CALL_REGISTER_CASE(ARG_R9, r9);
		CALL_REGISTER_CASE(ARG_R10, r10);
		CALL_REGISTER_CASE(ARG_R11, r11);
		CALL_REGISTER_CASE(ARG_R12, r12);
		CALL_REGISTER_CASE(ARG_R13, r13);
		CALL_REGISTER_CASE(ARG_R14, r14);
		CALL_REGISTER_CASE(ARG_R15, r15);
	}
	return value;
}

/* malloc's and free's argument is where the ABI puts it at nearly every site. */
static __always_inline u64 call_register(struct pt_regs *ctx, u32 reg)
{
	return reg == ARG_DI ? ctx->di : call_register_any((struct bpf_user_pt_regs_t *)ctx, reg);
}

/* Does a function of the allocator span this offset of its file? Global, so that it is verified once. */
__weak __noinline int call_spans(u32 allocator, u64 offset)
{
	struct ranges *ranges = bpf_map_lookup_elem(&allocator_ranges, &allocator);

	if (!ranges)
		return false;
	for (u32 i = 0; i < RANGES_MAX; i++) {
		if (i >= ranges->count)
			break;
		if (offset >= ranges->range[i].start && offset < ranges->range[i].end)
			return true;
	}
	return false;
}

/*
 * A call whose return address lies inside a probed function of the same file is the allocator calling itself and is
 * counted by the outer call. At a site the return address is still on top of the stack. Costs a user read, so only
 * sampled calls ask.
 */
static __always_inline bool call_is_nested(const struct pt_regs *ctx, u64 cookie)
{
	u64 return_ip = hidden_at_entry(ctx->sp);

	if (!return_ip && bpf_probe_read_user(&return_ip, sizeof(return_ip), (void *)ctx->sp))
		return false;
	return call_spans(cookie_allocator(cookie), return_ip - (ctx->ip - cookie_site(cookie)));
}

/* `sp` is the stack pointer at entry; the return leg sees it one word higher. */
static __always_inline struct stash_key call_key(u64 sp)
{
	return (struct stash_key){.sp = sp, .caller = (u32)bpf_get_current_pid_tgid()};
}

/* The same of a call of --alloc; the instruction that returns sees the stack pointer as at entry. */
static __always_inline struct stash_key call_pool_key(u64 sp)
{
	return (struct stash_key){.sp = sp, .caller = bpf_get_current_pid_tgid() >> 32 | STASH_OF_PROCESS};
}

/* False: no room (counted when the call was sampled), so the return leg will know nothing of it. */
static __always_inline bool call_store(const struct stash_key *key, const struct stash *stash)
{
	if (!bpf_map_update_elem(&stashes, key, stash, BPF_ANY))
		return true;
	if (stash->sampled)
		count(stash->process, COUNTER_LOST_STASH);
	return false;
}

static __always_inline bool call_remember(const struct pt_regs *ctx, const struct stash *stash)
{
	struct stash_key key = call_key(ctx->sp);
	struct stash *old = bpf_map_lookup_elem(&stashes, &key);

	if (old && old->sampled)
		count(old->process, COUNTER_RETURN_MISSED);
	return call_store(&key, stash);
}

/* The call that returns; false when it was none of ours. Not inlined, nor heap_settle: see enter_only. */
static __noinline bool call_recall(const struct stash_key *key, struct stash *ret_stash)
{
	struct stash *found = bpf_map_lookup_elem(&stashes, key);

	if (!found)
		return false;
	*ret_stash = *found;
	bpf_map_delete_elem(&stashes, key);
	return true;
}
