/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The program at two functions of Go's runtime that run for the objects that Go itself has sampled, and for few others: when an object
 * is booked to its bucket of Go's heap profile, and when the sweep gives back what was noted of one that is dead. Nothing is sampled
 * here, and no stack is walked: the bucket has it.
 *
 * The probes lie at the branch of the functions' stack guards (probe/go_sites.h), where arguments are as at their entry (Go's ABIInternal:
 * rax, rbx, rcx), and which each call passes once without taking it. Links have no filter, so the process is looked up.
 */
#include "vmlinux.h"

#include "map.bpf.h"
#include "emit.bpf.h"
#include "filter.bpf.h"
#include "heap.bpf.h"

#define BUCKET_SIZE 32 /* runtime/mprof.go, bucket, Go 1.19 to 1.27: where the size of its objects stands */

/* The flags by which `jbe` decides. */
#define FLAG_CARRY 0x01
#define FLAG_ZERO  0x40

/* The process number behind the hit, 0 when ages of its objects are not wanted (yet). */
static __always_inline u32 go_process(void)
{
	u32 number;
	struct scope *scope = filter_scope(&number);

	return scope && scope->go == scope->process ? scope->process : 0;
}

/* A place in the ring for the birth at that address; NULL: none, or the death of the object before it finds none. */
static __always_inline struct event_alloc *go_reserve(u32 process, const struct live_key *key)
{
	struct event_alloc *event = NULL;
	u64 *taken;

	if (ring_share(process, sizeof(*event)))
		event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event)
		return NULL;
	taken = bpf_map_lookup_elem(&live, key);
	if (!taken || heap_evict(process, taken))
		return event;
	bpf_ringbuf_discard(event, BPF_RB_NO_WAKEUP);
	return NULL;
}

static __always_inline void go_born(u32 process, u64 addr, u64 bucket)
{
	struct live_key key = live_key(process, addr);
	struct event_alloc *event;
	u64 size, word;
	u16 flags = EVENT_GO;

	count(process, COUNTER_AGES_BORN);
	/* Go has just compared the bucket with the stack: it is in memory. */
	event = bpf_probe_read_user(&size, sizeof(size), (void *)(bucket + BUCKET_SIZE)) ? NULL
											 : go_reserve(process, &key);
	if (!event) {
		count(process, COUNTER_AGES_LOST);
		return;
	}
	event->object = __sync_fetch_and_add(&next_object, 1) + 1;
	word = live_word(event->object, LIVE_ALIVE);
	if (bpf_map_update_elem(&live, &key, &word, BPF_ANY)) {
		flags |= EVENT_REFUSED;
		count(process, COUNTER_AGES_REFUSED);
	}
	emit_header(&event->header, EVENT_ALLOC, process, flags);
	event->addr = addr;
	event->size = size;
	event->stack = bucket;
	bpf_ringbuf_submit(event, emit_flags());
}

/* Specials of other kinds are finalizers, weak pointers and the like. */
static __always_inline void go_died(u32 process, u64 special, u64 addr, u64 cookie)
{
	u8 kind = 0, flagged = 0;

	if (!bpf_probe_read_user(&kind, sizeof(kind), (void *)(special + go_cookie_kind_offset(cookie))) &&
	    kind == go_cookie_kind(cookie))
		heap_end(process, addr, EVENT_FREE, LIVE_DEAD, &flagged);
}

SEC("?uprobe") int go_object(struct pt_regs *ctx)
{
	u64 cookie = bpf_get_attach_cookie(ctx);
	u32 process;

	if (ctx->flags & (FLAG_CARRY | FLAG_ZERO))
		return 0;
	process = go_process();
	if (!process)
		return 0;
	if (go_cookie_site(cookie) == GO_BORN)
		go_born(process, ctx->ax, ctx->bx);
	else
		go_died(process, ctx->ax, ctx->bx, cookie);
	return 0;
}
