/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The loaded BPF object: its programs, and what they share with user space, as plain calls; the rows that the programs fill
 * are read through bpf_maps.h. The functions are called kernel_: bpf_ is libbpf's own prefix.
 */
#include "include/config.h"
#include "include/counter.h"
#include "trace/attach.h"
#include "trace/footprint.h"
#include "unwind/tables.h"

struct kernel;

#define DENSE_BELOW_BYTES 65536 /* intervals at which samples come thick */

struct kernel_options {
	u64 sample_bytes;
	bool alloc_only, show_allocator;
	bool pools;			  /* there are allocators of --alloc */
	bool inlined;			  /* there are files that have the sampler */
	bool go;			  /* ages of Go's objects are wanted */
	bool regions;			  /* calls that map and unmap are wanted */
	bool small;			  /* as little memory as can be (footprint_least) */
	enum region_method region_method; /* how; feature_regions says whether that works */
	unsigned int processes;		  /* expected at once, for sizing */
	enum population population;
	/* Only processes of the population with this name, NULL: any, that run this file, inode 0: any. */
	const char *comm;
	dev_t exe_device;
	ino_t exe_inode;
	enum attach_kind kind;	    /* which programs to load */
	struct footprint footprint; /* attach_method_choose sets it */
};

/*
 * Open, configure and load; the process tracepoints are attached, no allocation probe is. HEAPTAP_RING_BYTES and
 * HEAPTAP_LIVE_MAX shrink the ring and the live map, never enlarge them (for tests). 0 or negative errno.
 */
int kernel_open(const struct kernel_options *options, struct kernel **ret_kernel);
void kernel_close(struct kernel *kernel);

const struct attach_programs *kernel_programs(const struct kernel *kernel);
int kernel_ring_fd(const struct kernel *kernel);
u64 kernel_ring_bytes(const struct kernel *kernel); /* that it holds */
void kernel_begin_drain(struct kernel *kernel); /* what is in the ring now no longer counts against anyone's share */

/*
 * From here on the programs trace such processes too: with POPULATION_CGROUP those in the group, which may be set again,
 * with POPULATION_LISTED no new ones.
 */
void kernel_populate(struct kernel *kernel, enum population population, const struct group *group);
void kernel_end_frees(struct kernel *kernel);	       /* from here on no object is followed any more */
u32 kernel_group_made(const struct kernel *kernel);    /* how often the group was made again */
u64 kernel_refused(const struct kernel *kernel);       /* processes not traced for want of a number */
u64 kernel_missed(const struct kernel *kernel);	       /* processes whose begin and end found the ring full */
u32 kernel_processes_max(const struct kernel *kernel); /* that can be traced at once */

u32 kernel_draw_process(struct kernel *kernel); /* an image's number, never used before; 0: too many are in use */

/* The image is settled, and nothing counts for it any more: the row of its number is free for another. */
void kernel_give_process(struct kernel *kernel, u32 process);

u32 kernel_draw_scope(struct kernel *kernel); /* a scope number; 0: too many are in use */
void kernel_give_scope(struct kernel *kernel, u32 number);

/* The row of a scope, shared with the programs: write single fields, atomically. */
struct scope *kernel_scope(struct kernel *kernel, u32 number);
u32 kernel_find_scope(struct kernel *kernel, u32 process); /* the scope that runs that image; 0: none */

int kernel_add_pid(struct kernel *kernel, u32 pid, u32 scope); /* 0; -EEXIST: the programs were first */
bool kernel_remove_pid(struct kernel *kernel, u32 pid);	       /* false: its process has ended, and an event says so */
void kernel_remove_pids(struct kernel *kernel); /* of all scopes, also those for which no event has come yet */
int kernel_set_ranges(struct kernel *kernel, u32 allocator, const struct ranges *ranges);

/* What the programs unwind by, shared with them: rules, the words of all tables, the mappings of all scopes. Zero at first. */
const struct unwind_memory *kernel_unwind_memory(const struct kernel *kernel);
