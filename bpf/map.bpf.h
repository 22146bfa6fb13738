/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Every map, with four facts: key, value, who inserts, who deletes. All are weak, so that each object file of the one
 * linked program may include them. Sizes marked (*) are set by user space before loading.
 */
#include <bpf/bpf_helpers.h>

#include "include/config.h"
#include "include/counter.h"
#include "include/event.h"
#include "include/row.h"
#include "include/unwind_code.h"

/* Set between open and load, constant from then on; tests that compile the programs for the host set it as they go. */
#ifdef __bpf__
const volatile struct config config __weak = {};
#else
struct config config;
#endif

/* Drawn once per sampled object and per raw stack; never reused in one recording. */
u64 next_object __weak = 0;
u64 next_raw __weak = 0;

/* Nobody is told of frees any more, so that what is born is not followed. User space sets it, for good. */
u32 frees_ended __weak = 0;

/* Who is to be traced beside those named, an enum population: user space sets it to POPULATION_LISTED at the end. */
u32 population __weak = 0;
struct group group __weak = {};
u64 population_refused __weak = 0; /* processes and images not traced: no scope or no process number left */
u64 population_unheard __weak = 0; /* processes whose begin and end found the ring full */

/* The ring: events to user space, in order. (*) */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring __weak SEC(".maps");

/* Counts the drains: user space adds one before each. */
u64 ring_drains __weak = 0;

/* What an image has put into the ring since a drain began. */
struct ring_use {
	u64 drains, bytes;
};

/* process number & config.tally_mask -> its use of the ring. Written by the programs that send events. (*) */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCOPES_MIN);
	__type(key, u32);
	__type(value, struct ring_use);
} ring_uses __weak SEC(".maps");

/* Scope number -> struct scope. User space, which has it mapped, starts one, and so do fork, exec and a process's coming
 * into the cgroup; exec and exit change its process number. (*) */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, SCOPES_MIN);
	__type(key, u32);
	__type(value, struct scope);
} scopes __weak SEC(".maps");

/* Scope numbers that are free. User space puts them in, and back once it has settled the process that had one.
 * Either side takes one out when it starts a scope. (*) */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, SCOPES_MIN);
	__type(value, u32);
} free_scopes __weak SEC(".maps");

/* pid, as heaptap's PID namespace numbers it -> scope number. Inserted when a scope begins, deleted when it ends. (*) */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * SCOPES_MIN);
	__type(key, u32);
	__type(value, u32);
} scope_by_pid __weak SEC(".maps");

/* process number & config.tally_mask -> counters. The programs add, user space clears the row of an ended image. (*) */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCOPES_MIN);
	__type(key, u32);
	__type(value, struct tally);
} tallies __weak SEC(".maps");

/* Process numbers whose row of counters is free. User space puts them in, each once in a recording: a row's next number
 * when the image that had the one before is settled. One is taken out when an image begins. (*) */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, SCOPES_MIN);
	__type(value, u32);
} free_processes __weak SEC(".maps");

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
	u32 whole; /* no more of the stack can be had than raw.bytes has */
	struct unwind_walk {
		struct unwind_registers registers;
		u64 mappings; /* see struct scope; 0: not known */
		u64 word;     /* what was read last */
		u64 window;   /* where the snapshot begins: with the leaf, until the walk has left it behind */
		u32 mapping;  /* index of the mapping found last */
		u32 depth;
		u32 end;	   /* enum unwind_end */
		u32 exact;	   /* ip is that of an instruction, not a return address */
		u32 frame_pointer; /* a frame pointer had to be trusted */
		u32 shown;	   /* 1: the allocator's own frame comes first */
		u32 by_vma;	   /* mappings are the kernel's own, one at a time, in `vma` */
		u32 file;	   /* the row of unwind_files that the file of `vma` is in */
	} walk;
	struct unwind_mapping vma;
	/* For code without a rule; here since there is little room on the stack of the programs. */
	struct unwind_rule rule;
	u8 behind[UNWIND_BEHIND_BYTES];
	struct event_raw raw; /* the snapshot, to be sent if it is from the leaf's sp on */
	struct event_stack stack;
	u8 slack[4096]; /* never written: the verifier adds the longest copy to the highest place of one */
};

#define SCRATCHES_MAX  64
#define UNWIND_NOTHING 0xffffffff /* an index of none */

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SCRATCHES_MAX);
	__type(key, u32);
	__type(value, struct scratch);
} scratches __weak SEC(".maps");

/*
 * The unwind tables of all files (include/unwind.h), each at its index, 0 being none's. User space, which has it
 * mapped, writes it. Words in pairs, because an array takes 8 bytes a row at least.
 */
struct unwind_words {
	u32 word[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, UNWIND_ROWS_MAX / 2);
	__type(key, u32);
	__type(value, struct unwind_words);
} unwind_rows __weak SEC(".maps");

/* Rule number -> rule. User space, which has it mapped, appends. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, UNWIND_RULES_MAX);
	__type(key, u32);
	__type(value, struct unwind_rule);
} unwind_rules __weak SEC(".maps");

/* See struct unwind_file. User space, which has it mapped, writes it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, UNWIND_FILES_MAX);
	__type(key, u32);
	__type(value, struct unwind_file);
} unwind_files __weak SEC(".maps");

/* Rules that the programs found lately, see unwind_found_place(). */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, UNWIND_FOUND_MAX);
	__type(key, u32);
	__type(value, u64);
} unwind_found __weak SEC(".maps");

/* Executable mappings, those of a process side by side (struct scope says where). User space, which has it mapped,
 * writes it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, UNWIND_MAPPINGS_MAX);
	__type(key, u32);
	__type(value, struct unwind_mapping);
} unwind_mappings __weak SEC(".maps");
