/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The user stack of a call, interned: its frames travel once, afterwards only their hash. Called on the return leg,
 * where the registers are the caller's again and the instruction pointer is the return address, or at the entry of a call
 * that gets no return leg. A stack that cannot be unwound here yet travels as bytes.
 */
#include "include/stackhash.h"
#include "unwind.bpf.h"

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

/* Send the frames unless user space has them. False: they could not be sent, the stack must not be named. */
static __always_inline bool stack_send(struct event_stack *stack, u32 depth, enum unwind_end end, u64 hash, u32 process)
{
	u32 size = offsetof(struct event_stack, ip) + depth * sizeof(stack->ip[0]);
	u8 sent = 1;

	if (bpf_map_lookup_elem(&stacks_sent, &hash))
		return true;
	emit_header(&stack->header, EVENT_STACK, process, 0);
	stack->stack = hash;
	stack->depth = depth;
	stack->end = end;
	/* The verifier wants a bound it can see. */
	if (size > sizeof(*stack))
		return false;
	if (!ring_share(process, size) || bpf_ringbuf_output(&ring, stack, size, emit_flags())) {
		count(process, COUNTER_STACK_LOST_RING);
		return false;
	}
	if (bpf_map_update_elem(&stacks_sent, &hash, &sent, BPF_ANY))
		count(process, COUNTER_STACK_RESENT);
	return true;
}

/* Send as much of the stack itself as the snapshot holds. Its id, 0 when it could not be sent. */
static __always_inline u64 stack_send_raw(struct scratch *scratch, u32 process)
{
	struct event_raw *raw = &scratch->raw;
	u32 size;

	if (scratch->walk.window != raw->sp)
		unwind_snapshot_from(scratch, raw->sp);
	for (u32 i = 0; i < UNWIND_PAGES_MAX; i++)
		if (!unwind_snapshot_more(scratch))
			break;
	unwind_unhide(scratch);
	emit_header(&raw->header, EVENT_RAW, process, 0);
	raw->stack = RAW_STACK_ID | (__sync_fetch_and_add(&next_raw, 1) + 1);
	raw->reserved = 0;
	size = offsetof(struct event_raw, bytes) + raw->size;
	if (size > sizeof(*raw))
		return 0;
	/* Wakes the reader, who can make known what is missing: the fewer of these the better. */
	if (!ring_share(process, size) || bpf_ringbuf_output(&ring, raw, size, BPF_RB_FORCE_WAKEUP)) {
		count(process, COUNTER_STACK_LOST_RING);
		return 0;
	}
	count(process, COUNTER_STACK_RAW);
	return raw->stack;
}

static __always_inline void stack_count_end(u32 process, enum unwind_end end)
{
	if (end == UNWIND_TRUNCATED)
		count(process, COUNTER_STACK_TRUNCATED);
	else if (end == UNWIND_TOO_DEEP)
		count(process, COUNTER_STACK_TOO_DEEP);
	else if (end == UNWIND_NO_RULE)
		count(process, COUNTER_STACK_NO_RULE);
	else if (end == UNWIND_UNREADABLE)
		count(process, COUNTER_STACK_UNREADABLE);
	else if (end == UNWIND_STUCK)
		count(process, COUNTER_STACK_STUCK);
}

/* The snapshot has served its purpose by now, and lends its bytes. */
__weak __noinline int stack_shorten(struct scratch *scratch)
{
	if (scratch)
		scratch->walk.end = stack_cut(scratch->stack.ip, &scratch->walk.depth, scratch->walk.end,
					      (void *)scratch->raw.bytes);
	return 0;
}

/* Global, so that what comes behind it is not verified for each depth. */
__weak __noinline u64 stack_hash(struct scratch *scratch, u64 seed)
{
	u32 depth;

	if (!scratch)
		return 0;
	depth = scratch->walk.depth;
	return depth <= STACK_DEPTH_MAX ? stackhash(scratch->stack.ip, depth, seed) : 0;
}

/* Unwound, and sent or known; the stack's id as in stack_capture. */
static __always_inline u64 stack_name(const struct unwind_registers *at, const struct stash *stash,
				      const struct scope *scope, struct scratch *scratch)
{
	u32 process = stash->process;
	struct unwind_walk *walk = &scratch->walk;
	u64 mappings = 0, hash;
	u32 generation = 0;

	/*
	 * The generation first: should a new list come in between, it is taken for the old one, and what it says better
	 * is not believed.
	 */
	if (scope && scope->mappings_process == process) {
		generation = *(const volatile u32 *)&scope->generation;
		mappings = *(const volatile u64 *)&scope->mappings;
	}
	if (mappings)
		unwind(at, mappings, stash->site, stash->entered, scratch);
	if (!mappings || walk->end == UNWIND_NO_TABLE) {
		/* The list is not there yet, or not whole. What the kernel says is right now, and belongs to no generation. */
		unwind(at, UNWIND_BY_VMA, stash->site, stash->entered, scratch);
		generation = 0;
	}
	if (walk->end == UNWIND_NO_TABLE)
		return stack_send_raw(scratch, process);
	if (walk->depth > STACK_DEPTH_MAX)
		stack_shorten(scratch);
	stack_count_end(process, walk->end);
	if (walk->frame_pointer)
		count(process, COUNTER_STACK_FRAME_POINTER);
	if (walk->depth > STACK_DEPTH_MAX)
		return 0;
	hash = stack_hash(scratch, stackhash_seed(process, generation));
	return stack_send(&scratch->stack, walk->depth, walk->end, hash, process) ? hash : 0;
}

/*
 * The id of the call's stack, user space having its frames or bytes; 0 when it had to be given up (counted). `scope`
 * is the process's own; NULL, or another image's, when its mappings are not known.
 */
static __always_inline u64 stack_capture(const struct unwind_registers *at, const struct stash *stash,
					 const struct scope *scope)
{
	struct scratch *scratch = scratch_claim();
	u64 id;

	if (!scratch) {
		count(stash->process, COUNTER_STACK_LOST_SLOT);
		return 0;
	}
	id = stack_name(at, stash, scope, scratch);
	scratch_return(scratch);
	return id;
}
