/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The programs at the allocation functions. One body for every function, told apart by the attach cookie, so that one
 * link (one wait at detach) carries them all; three programs because kernels differ in how a return leg is had:
 *
 *   alloc_session  uprobe session link (6.13): runs on entry and, unless the entry said no, on return
 *   alloc_enter, alloc_return   uprobe multi links (6.6) or perf-event uprobes (6.1): every return traps
 *
 * and a fourth for the functions of --alloc, which never get a return leg: they may throw, or switch stacks.
 *
 *   alloc_pool     at their entries, and at the instructions by which they return
 *
 * Nearly all hits are unsampled, so the body decides that first: cookie, scope, tally, one random number, done.
 */
#include "vmlinux.h"

#include "map.bpf.h"
#include "birth.bpf.h"
#include "call.bpf.h"
#include "filter.bpf.h"
#include "heap.bpf.h"
#include "return_leg.bpf.h"
#include "sample.bpf.h"
#include "stack.bpf.h"
#include "unseen.bpf.h"

#define SIZE_UNKNOWN	 (1ULL << 46) /* of a string: taken at any interval */
#define STRING_READS_MAX 256	      /* of up to RAW_STACK_BYTES: 4 MiB, or what that is at least */

char LICENSE[] SEC("license") = "GPL";

static __always_inline bool sampled(u64 size)
{
	u64 sample_bytes = config.sample_bytes;
	u32 high;

	if (sample_bytes == 1)
		return true;
	if (!size)
		size = 1;
	high = bpf_get_prandom_u32();
	if (sample_rejects(high, size, sample_bytes))
		return false;
	return ((u64)high << 32 | bpf_get_prandom_u32()) < sample_probability(size, sample_bytes);
}

static __always_inline void free_enter(struct pt_regs *ctx, u64 cookie, u32 process)
{
	u64 addr = call_register(ctx, cookie_arg1(cookie));
	u8 flagged = 0;

	count(process, COUNTER_HITS_FREE);
	if (!heap_end(process, addr, EVENT_FREE, LIVE_DEAD, &flagged) && config.sample_bytes == 1 && addr)
		count(process, COUNTER_FREE_UNKNOWN);
}

/* Hidden from the compiler, which would make it a 128-bit multiplication that BPF does not have. */
static __always_inline u64 largest_factor(u64 factor)
{
	u64 largest = ~0ULL / factor;

	asm volatile("" : "+r"(largest));
	return largest;
}

/*
 * The call that was remembered ends in a jump to another probed function, to which the stack looks as if its caller had called it:
 * it is taken back, and the other one counts.
 */
static __noinline void call_pass(struct pt_regs *ctx)
{
	struct stash_key key = call_key(ctx->sp);
	struct stash *found = bpf_map_lookup_elem(&stashes, &key), stash;

	if (!found)
		return;
	stash = *found;
	bpf_map_delete_elem(&stashes, &key);
	if (stash.sampled)
		count_back(stash.process, COUNTER_SAMPLED);
	if (stash.old)
		heap_revive(&stash);
}

/* count * size in *ret_size; false: it overflows, which fails in the allocator. */
static __always_inline bool product(u64 one, u64 two, u64 *ret_size)
{
	*ret_size = one * two;
	return !((one | two) >> 32) || !one || two <= largest_factor(one);
}

/* The size a call asks for; false when the call never gets as far as allocating, or ends in another probed function. */
static __always_inline bool call_size(struct pt_regs *ctx, u64 cookie, u32 kind, u64 *ret_size)
{
	u64 one = call_register(ctx, cookie_arg1(cookie)), two;

	if (kind == CALL_MALLOC || kind == CALL_NEW) {
		*ret_size = one;
		return true;
	}
	two = call_register(ctx, cookie_arg2(cookie));
	*ret_size = two;
	if (kind == CALL_CALLOC || kind == CALL_NEW_ARRAY)
		return product(one, two, ret_size);
	if (kind == CALL_RESIZE_ARRAY)
		return product(two, ctx->dx, ret_size);
	if (kind == CALL_DUPLICATE) {
		/* So much that it is taken for certain: whether it is, its return decides. */
		*ret_size = SIZE_UNKNOWN;
		return true;
	}
	if (kind == CALL_PASSED) {
		call_pass(ctx);
		return false;
	}
	/* glibc: alignments up to that of malloc, and realloc of NULL, jump to malloc, where the call is counted. */
	if (kind == CALL_ALIGNED)
		return one > 16;
	return kind != CALL_REALLOC || one;
}

/* The old block of a realloc leaves. True when there is nothing else to the call. */
static __noinline bool realloc_enter(struct pt_regs *ctx, u64 cookie, struct stash *stash)
{
	stash->addr = call_register(ctx, cookie_arg1(cookie));
	if (!stash->size && stash->kind == CALL_REALLOC) {
		/* glibc frees, and returns NULL without having failed. */
		heap_end(stash->process, stash->addr, EVENT_FREE, LIVE_DEAD, &stash->old_flagged);
		return true;
	}
	if (!config.alloc_only)
		stash->old = heap_end(stash->process, stash->addr, EVENT_MOVED, LIVE_MOVING, &stash->old_flagged);
	return false;
}

/* What the entry tells of a call. False when there is nothing to wait for. */
static __always_inline bool alloc_enter_stash(struct pt_regs *ctx, u64 cookie, u32 kind, struct stash *stash)
{
	count(stash->process, COUNTER_HITS_ALLOC);
	if (!call_size(ctx, cookie, kind, &stash->size))
		return false;
	if (cookie & COOKIE_SMALL && stash->size - 1 >= SMALL_BYTES_MAX)
		return false;
	if ((kind == CALL_REALLOC || kind == CALL_RESIZE || kind == CALL_RESIZE_ARRAY) &&
	    realloc_enter(ctx, cookie, stash))
		return false;
	if (sampled(stash->size) && !call_is_nested(ctx, cookie)) {
		stash->sampled = 1;
		if (config.show_allocator)
			stash->site = ctx->ip + 1;
		count(stash->process, COUNTER_SAMPLED);
	}
	return stash->sampled || stash->old;
}

/* True when the return leg is needed. */
static __always_inline bool alloc_enter_call(struct pt_regs *ctx, u64 cookie, u32 process, u32 kind)
{
	struct stash stash = {.process = process, .kind = kind};

	if (!alloc_enter_stash(ctx, cookie, kind, &stash))
		return false;
	if ((kind >= CALL_NEW && call_may_throw(&stash, cookie)) || return_leg_would_drop_another(ctx->sp)) {
		enter_unseen(ctx, &stash);
		return false;
	}
	if (kind == CALL_POSIX_MEMALIGN)
		stash.addr = call_register(ctx, cookie_arg1(cookie));
	return call_remember(ctx, &stash);
}

/* What an entry handler of a session returns: 1 when there is nothing to be done on the return leg. */
static __always_inline int enter(struct pt_regs *ctx, u64 cookie)
{
	u32 kind = cookie_kind(cookie), process = hit_process(cookie);

	if (!process)
		return 1;
	if (kind == CALL_FREE) {
		free_enter(ctx, cookie, process);
		return 1;
	}
	return !alloc_enter_call(ctx, cookie, process, kind);
}

/* The address a returning call hands out, 0 when it failed. */
static __always_inline void call_result(struct pt_regs *ctx, struct birth *birth)
{
	birth->addr = ctx->ax;
	if (birth->stash.kind == CALL_POSIX_MEMALIGN &&
	    ((u32)ctx->ax || bpf_probe_read_user(&birth->addr, sizeof(birth->addr), (void *)birth->stash.addr)))
		birth->addr = 0;
}

/*
 * The bytes of a string with its end, 0 where it cannot be read. It has just been written, so it is in memory. Global, so that what
 * comes behind it is not verified for each round of the loop.
 */
__weak __noinline u64 string_size(u64 addr)
{
	struct scratch *scratch = scratch_claim();
	u64 size = 0;
	long length;

	if (!scratch)
		return 0;
	for (u32 i = 0; i < STRING_READS_MAX; i++) {
		length = bpf_probe_read_user_str(scratch->raw.bytes, sizeof(scratch->raw.bytes), (void *)(addr + size));
		if (length < (long)sizeof(scratch->raw.bytes)) {
			size = length > 0 ? size + (u64)length : 0;
			break;
		}
		size += sizeof(scratch->raw.bytes) - 1;
	}
	scratch_return(scratch);
	return size;
}

/* Is the call sampled, now that it is known how much it asked for? */
static __noinline bool duplicate_leave(struct stash *stash, u64 addr)
{
	stash->size = string_size(addr);
	if (!stash->size)
		count(stash->process, COUNTER_LOST_STASH);
	else if (!sampled(stash->size))
		count_back(stash->process, COUNTER_SAMPLED);
	else
		return true;
	return false;
}

/* A function of its own, so that what few calls need takes no register from the many. */
static __noinline void leave(struct pt_regs *ctx, u64 sp, u32 caller)
{
	struct stash_key key = {.sp = sp, .caller = caller};
	struct birth birth;
	struct stash *stash = &birth.stash;

	if (!call_recall(&key, stash))
		return;
	/* At an instruction that returns, the stack is as at the entry. */
	stash->entered = caller & STASH_OF_PROCESS ? STASH_ENTERED : STASH_RETURNS;
	call_result(ctx, &birth);
	/* Size 0 may mean to free, which returns NULL too. */
	if (stash->old)
		heap_settle(stash, birth.addr || !stash->size);
	if (!stash->sampled)
		return;
	if (!birth.addr) {
		count(stash->process, COUNTER_FAILED);
		return;
	}
	if (stash->kind == CALL_DUPLICATE && !duplicate_leave(stash, birth.addr))
		return;
	birth_at(ctx, &birth);
	object_begin(&birth);
}

static __always_inline void leave_by_leg(struct pt_regs *ctx)
{
	leave(ctx, ctx->sp - sizeof(u64), (u32)bpf_get_current_pid_tgid());
}

SEC("?uprobe") int alloc_session(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);

	/*
	 * The session kfuncs changed their signature in 7.x, so the instruction pointer says which leg it is: on the
	 * return leg it is the caller's. A free never takes one.
	 */
	if (cookie_kind(cookie) != CALL_FREE && bpf_get_func_ip(ctx) != ctx->ip) {
		leave_by_leg(ctx);
		return 0;
	}
	/* The compiler would keep every part of the cookie that it has seen. */
	asm volatile("" : "+r"(cookie));
	return enter(ctx, cookie);
}

SEC("?uprobe") int alloc_enter(struct pt_regs *ctx)
{
	enter(ctx, bpf_get_attach_cookie(ctx));
	return 0;
}

SEC("?uprobe") int alloc_return(struct pt_regs *ctx)
{
	leave_by_leg(ctx);
	return 0;
}

/* What stands at the key of a call that begins has not returned, and does no more: it has thrown. */
static __noinline void pool_forget(const struct stash_key *key)
{
	struct stash *stash = bpf_map_lookup_elem(&stashes, key);

	if (!stash)
		return;
	if (stash->sampled)
		count(stash->process, COUNTER_FAILED);
	if (stash->old)
		heap_revive(stash);
	bpf_map_delete_elem(&stashes, key);
}

static __always_inline void pool_enter(struct pt_regs *ctx, u64 cookie, u32 process)
{
	struct stash_key key = call_pool_key(ctx->sp);
	struct stash stash = {.process = process, .kind = cookie_kind(cookie)};

	pool_forget(&key);
	if (!alloc_enter_stash(ctx, cookie, cookie_kind(cookie), &stash))
		return;
	if (cookie & COOKIE_RETURN_UNSEEN)
		enter_unseen(ctx, &stash);
	else
		call_store(&key, &stash);
}

/* Attached by links of which none takes return legs, so what it returns does not matter. */
SEC("?uprobe") int alloc_pool(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	u32 process;

	/* A call under way may return when tracing has ended. */
	if (cookie_kind(cookie) == CALL_RETURN) {
		leave(ctx, ctx->sp, call_pool_key(ctx->sp).caller);
		return 0;
	}
	process = hit_process(cookie);
	if (!process)
		return 0;
	if (cookie_kind(cookie) == CALL_FREE)
		free_enter(ctx, cookie, process);
	else
		pool_enter(ctx, cookie, process);
	return 0;
}
