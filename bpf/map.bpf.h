/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef MAP_BPF_H
#define MAP_BPF_H
/*
 * Every map, with four facts: key, value, who inserts, who deletes. All are weak, so that each object file of the one
 * linked program may include them. Sizes marked (*) are set by user space before loading.
 */
#include <bpf/bpf_helpers.h>

#include "../include/config.h"
#include "../include/counter.h"
#include "../include/event.h"
#include "../include/row.h"

/* Set between open and load, constant from then on; tests that compile the programs for the host set it as they go. */
#ifdef __bpf__
const volatile struct config config __weak = {};
#else
struct config config;
#endif

/* Drawn once per sampled object and once per image; never reused in one recording. */
u64 next_object __weak = 0;
u32 next_process __weak = 0;

/* The ring: events to user space, in order. (*) */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring __weak SEC(".maps");

/* Scope number -> struct scope. User space, which has it mapped, starts one; exec and exit change its process number.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SCOPES_MAX);
	__type(key, u32);
	__type(value, struct scope);
} scopes __weak SEC(".maps");

/* pid, as heaptap's PID namespace numbers it -> scope number. User space inserts, exit deletes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, SCOPES_MAX);
	__type(key, u32);
	__type(value, u32);
} scope_by_pid __weak SEC(".maps");

/* process number & config.tally_mask -> counters. The programs add, user space clears the row of an ended image. (*) */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TALLIES_MIN);
	__type(key, u32);
	__type(value, struct tally);
} tallies __weak SEC(".maps");

/* Allocator number (of the cookie) -> file ranges of its probed functions. User space writes it before attaching. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ALLOCATORS_MAX);
	__type(key, u32);
	__type(value, struct ranges);
} allocator_ranges __weak SEC(".maps");

/* The live map: sampled objects by address (include/row.h). Birth inserts, free deletes, user space deletes those of
 * ended images. (*) */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20);
	__type(key, struct live_key);
	__type(value, u64);
} live __weak SEC(".maps");

/* Calls between entry and return leg (include/row.h). The entry inserts, the return deletes. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct stash_key);
	__type(value, struct stash);
} stashes __weak SEC(".maps");

/* Hash of a stack that user space has -> nothing. The programs insert; user space deletes those of ended images. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, u64);
	__type(value, u8);
} stacks_sent __weak SEC(".maps");

/*
 * Scratch for stacks. Not per CPU: a uprobe program can be preempted and another run on the same CPU, so slots are
 * claimed.
 */
struct scratch {
	u32 busy;
	u32 reserved;
	struct event_stack stack;
};

#define SCRATCHES_MAX 64

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCRATCHES_MAX);
	__type(key, u32);
	__type(value, struct scratch);
} scratches __weak SEC(".maps");

#endif
