/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef KERNEL_H
#define KERNEL_H
/* The loaded BPF object: its programs, and its maps as plain calls. */
#include "../include/config.h"
#include "../include/counter.h"
#include "../include/unwind.h"
#include "attach.h"

struct kernel;

struct kernel_options {
	u64 sample_bytes;
	bool alloc_only, show_allocator;
	unsigned int processes; /* expected */
	enum attach_kind kind;	/* which programs to load */
};

/*
 * Open, configure and load; the process tracepoints are attached, no allocation probe is. HEAPTAP_RING_BYTES and
 * HEAPTAP_LIVE_MAX shrink the ring and the live map (for tests). 0 or negative errno.
 */
int kernel_open(const struct kernel_options *options, struct kernel **ret_kernel);
void kernel_close(struct kernel *kernel);

const struct attach_programs *kernel_programs(const struct kernel *kernel);
int kernel_ring_fd(const struct kernel *kernel);

u32 kernel_draw_process(struct kernel *kernel); /* a process number never used before */

/* The row of a scope, shared with the programs: write single fields, atomically. */
struct scope *kernel_scope(struct kernel *kernel, u32 number);
int kernel_add_pid(struct kernel *kernel, u32 pid, u32 scope);
void kernel_remove_pid(struct kernel *kernel, u32 pid);
int kernel_set_ranges(struct kernel *kernel, u32 allocator, const struct ranges *ranges);

/*
 * What the programs unwind by, shared with them (include/unwind.h): UNWIND_RULES_MAX rules, the words of all tables,
 * the mappings of all scopes. All zero at first.
 */
struct unwind_rule *kernel_unwind_rules(struct kernel *kernel);
u32 *kernel_unwind_rows(struct kernel *kernel, u32 *ret_count);
struct unwind_mapping *kernel_unwind_mappings(struct kernel *kernel, u32 *ret_count);

u64 kernel_count_hits(const struct kernel *kernel,
		      u32 process); /* traps of an image so far; 0 also when out of memory */

/*
 * Add the kernel's counters of an image to ledger[], and start its row afresh. Only once the image is no longer traced:
 * what is counted between reading and clearing would be lost. 0 or negative errno.
 */
int kernel_take_tally(struct kernel *kernel, u32 process, u64 ledger[COUNTER_MAX]);

/* Every object of the live map that died without an event having been sent. 0 or negative errno. */
int kernel_for_each_unsent(struct kernel *kernel, void (*each)(void *arg, u32 process, u64 object), void *arg);

/* Every sampled call that has not returned. 0 or negative errno. */
int kernel_for_each_pending(struct kernel *kernel, void (*each)(void *arg, u32 process), void *arg);

/* Drop what an ended image left in the maps. */
void kernel_forget_object(struct kernel *kernel, u32 process, u64 addr);
void kernel_forget_stack(struct kernel *kernel, u64 hash);

#endif
