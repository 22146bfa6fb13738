/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef STACK_BPF_H
#define STACK_BPF_H
/*
 * The user stack of a call, interned: its frames travel once, afterwards only their hash. Called on the return leg,
 * where the registers are the caller's again and the instruction pointer is the return address, so the first frame is
 * right whatever the code's frame pointers; the frames above come from the kernel's frame-pointer walk.
 */
#include "emit.bpf.h"

#define SCRATCH_TRIES 4

static __always_inline struct scratch *scratch_claim(void)
{
	u32 first = bpf_get_smp_processor_id();

	for (u32 i = 0; i < SCRATCH_TRIES; i++) {
		/* Neighbours belong to other CPUs: step so that few CPUs meet. */
		u32 slot = (first + i * (SCRATCHES_MAX / SCRATCH_TRIES)) % SCRATCHES_MAX;
		struct scratch *scratch = bpf_map_lookup_elem(&scratches, &slot);

		if (scratch && !__sync_val_compare_and_swap(&scratch->busy, 0, 1))
			return scratch;
	}
	return NULL;
}

static __always_inline void scratch_return(struct scratch *scratch)
{
	__sync_lock_test_and_set(&scratch->busy, 0);
}

/* Fill stack->ip from the leaf; returns the depth, at least 1. */
static __always_inline u32 stack_walk(struct pt_regs *ctx, u32 process, struct event_stack *stack)
{
	long bytes = bpf_get_stack(ctx, stack->ip, sizeof(stack->ip), BPF_F_USER_STACK);

	if (bytes >= (long)sizeof(stack->ip[0]))
		return (u32)bytes / sizeof(stack->ip[0]);
	count(process, COUNTER_STACK_EMPTY);
	stack->ip[0] = ctx->ip;
	return 1;
}

/* 64 bits over frames and process: two stacks of a million collide with probability 3e-8 (birthday bound). Never 0. */
static __always_inline u64 stack_hash(const struct event_stack *stack, u32 depth, u32 process)
{
	u64 hash = process + 0x9e3779b97f4a7c15ULL;

	for (u32 i = 0; i < STACK_DEPTH_MAX + 1; i++) {
		if (i >= depth)
			break;
		hash = (hash ^ stack->ip[i]) * 0xff51afd7ed558ccdULL;
		hash ^= hash >> 32;
	}
	return hash ? hash : 1;
}

/* Send the frames unless user space has them. False: they could not be sent, the stack must not be named. */
static __always_inline bool stack_send(struct event_stack *stack, u32 depth, u64 hash, u32 process)
{
	u32 size = offsetof(struct event_stack, ip) + depth * sizeof(stack->ip[0]);
	u8 sent = 1;

	if (bpf_map_lookup_elem(&stacks_sent, &hash))
		return true;
	emit_header(&stack->header, EVENT_STACK, process, depth >= STACK_DEPTH_MAX ? EVENT_TRUNCATED : 0);
	stack->stack = hash;
	stack->depth = depth;
	/* The verifier wants a bound it can see. */
	if (size > sizeof(*stack))
		return false;
	if (bpf_ringbuf_output(&ring, stack, size, emit_flags())) {
		count(process, COUNTER_STACK_LOST_RING);
		return false;
	}
	if (bpf_map_update_elem(&stacks_sent, &hash, &sent, BPF_ANY))
		count(process, COUNTER_STACK_RESENT);
	return true;
}

/* The hash of the current stack, user space having its frames; 0 when it had to be given up (counted). */
static __always_inline u64 stack_capture(struct pt_regs *ctx, u32 process)
{
	struct scratch *scratch = scratch_claim();
	u32 depth;
	u64 hash;

	if (!scratch) {
		count(process, COUNTER_STACK_LOST_SLOT);
		return 0;
	}
	depth = stack_walk(ctx, process, &scratch->stack);
	if (depth >= STACK_DEPTH_MAX)
		count(process, COUNTER_STACK_TRUNCATED);
	hash = stack_hash(&scratch->stack, depth, process);
	if (!stack_send(&scratch->stack, depth, hash, process))
		hash = 0;
	scratch_return(scratch);
	return hash;
}

#endif
