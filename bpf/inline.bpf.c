/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program at the sites of the sampler in the process (include/sampler.h). What comes here has been sampled there, and is an
 * allocation that has returned or the end of one: nothing is decided here, and nothing waits for a return leg.
 */
#include "vmlinux.h"

#include "include/sampler.h"

#include "map.bpf.h"
#include "birth.bpf.h"
#include "call.bpf.h"
#include "filter.bpf.h"
#include "heap.bpf.h"
#include "hidden.bpf.h"

/* The config is on the page before the site's. */
static __always_inline u64 inline_config(u64 site)
{
	return site / SAMPLER_PAGE * SAMPLER_PAGE - SAMPLER_PAGE;
}

/* Does that address lie in the allocator, as the sampler's own look at the caller would have found? */
__weak __noinline int inline_spans(u64 config, u64 caller)
{
	s64 distance = (s64)(caller - config);
	struct sampler_range range;
	u32 count;

	if (bpf_probe_read_user(&count, sizeof(count), (void *)(config + offsetof(struct sampler_config, range_count))))
		return false;
	for (u32 i = 0; i < RANGES_MAX && i < count; i++) {
		u64 place = config + offsetof(struct sampler_config, ranges) + i * sizeof(range);

		if (bpf_probe_read_user(&range, sizeof(range), (void *)place))
			break;
		if (distance >= range.start && distance < range.end)
			return true;
	}
	return false;
}

/*
 * An allocator's call of its own is counted by the one that it serves. The sampler has left such out, but for those whose caller another's
 * return probe hides from it. Their objects stay in its table, so that one whose end it tells may be unknown (COUNTER_INHERITED).
 */
static __always_inline bool inline_is_nested(const struct pt_regs *ctx)
{
	u64 caller = hidden_at_entry(ctx->sp);

	return caller && inline_spans(inline_config(ctx->ip), caller);
}

static __always_inline void inline_born(struct pt_regs *ctx, u32 process)
{
	struct birth birth = {
		.stash = {.size = ctx->si, .process = process, .kind = CALL_INLINE, .sampled = 1},
		.addr = ctx->di,
	};

	count(process, COUNTER_HITS_ALLOC);
	if (inline_is_nested(ctx))
		return;
	count(process, COUNTER_SAMPLED);
	count(process, COUNTER_INLINE);
	birth.stash.entered = ctx->cx ? STASH_UNTABLED : STASH_ENTERED;
	if (ctx->cx)
		count(process, COUNTER_TABLE_FULL);
	if (config.show_allocator)
		birth.stash.site = ctx->dx + 1;
	birth_at(ctx, &birth);
	object_begin(&birth);
}

/* A forked child has its parent's table, and frees what its parent's profile has. */
static __always_inline void inline_freed(struct pt_regs *ctx, u32 process)
{
	u8 flagged = 0;

	count(process, COUNTER_HITS_FREE);
	if (!heap_end(process, ctx->di, EVENT_FREE, LIVE_DEAD, &flagged))
		count(process, COUNTER_INHERITED);
}

/* Exactly one SETTLED follows, at the same stack pointer. */
static __always_inline void inline_moved(struct pt_regs *ctx, u32 process)
{
	struct stash stash = {.addr = ctx->di, .process = process, .kind = CALL_INLINE};

	count(process, COUNTER_HITS_ALLOC);
	stash.old = heap_end(process, ctx->di, EVENT_MOVED, LIVE_MOVING, &stash.old_flagged);
	if (stash.old)
		call_remember(ctx, &stash);
	else
		count(process, COUNTER_INHERITED);
}

/* The call that is settled may have begun when the process was another image's: the note says whose it is. The trap is paid now. */
static __always_inline void inline_settled(struct pt_regs *ctx, u32 process)
{
	struct stash_key key = call_key(ctx->sp);
	struct stash stash;

	if (process)
		count(process, COUNTER_HITS_ALLOC);
	if (call_recall(&key, &stash))
		heap_settle(&stash, ctx->si);
}

SEC("?uprobe") int inline_site(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	enum sampler_site site = cookie_arg1(cookie);
	u32 process = hit_process(cookie);

	if (site == SAMPLER_SETTLED) {
		inline_settled(ctx, process);
		return 0;
	}
	if (!process)
		return 0;
	if (site == SAMPLER_BORN)
		inline_born(ctx, process);
	else if (site == SAMPLER_FREED)
		inline_freed(ctx, process);
	else if (site == SAMPLER_MOVED)
		inline_moved(ctx, process);
	return 0;
}
