/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where the probes of one file go: its allocators' functions, each at its site, each address once.
 *
 * The room: probe/ decides which files and which instructions are probed. It owns the files that traced processes map
 * (binaries, loader_list), the tables of allocators (allocator, custom_allocator), the functions of a file (function_list,
 * wrapper), where their calls lead (route, code), and the search for a site in a function's code (plan, site, insn_branch) and for
 * its returns (return_site, insn_return); and it knows programs that move their code (moving_text). It reads files and decides; it
 * places no probe, loads no BPF program, and needs no privileges but for opening the files.
 */
#include "include/sampler.h"
#include "probe/allocator.h"
#include "probe/custom_allocator.h"
#include "probe/pymalloc.h"
#include "probe/site.h"

struct elf;
struct foreign_heap;

struct plan_probe {
	const char *symbol; /* of the allocator table */
	enum call_kind kind;
	u64 offset; /* file offset of the breakpoint */
	u8 arg[2];  /* enum arg_register that holds the kind's arguments one and two there */
	u8 argument
		[ALLOCATOR_ARGS_MAX]; /* which of the function's arguments the kind's are, from 1 on; 0: it has none */
	struct site site;
	u64 nothrow; /* of one that throws: file offset of the function that returns NULL instead, and is not counted if it is called for this one;
			0: there is none */
	bool small;  /* it serves 1 to 512 bytes, and what else is asked of it another file's does (pymalloc.h) */
	bool pool;   /* of --alloc: its returns are probed where it returns, and it never gets a return leg */
	const char *
		unseen; /* why its returns are not known, so that it is counted at its entry; NULL: they are, or it has none */
};

#define PLAN_RETURNS_MAX 96

struct plan {
	char name[64]; /* of the allocators found: "glibc", "static musl, jemalloc (_rjem_)" */
	struct plan_probe probes[RANGES_MAX];
	u32 probe_count;
	u64 returns[PLAN_RETURNS_MAX]; /* file offsets of the instructions by which functions of --alloc return */
	u32 return_count;
	const char *mover;    /* how the file shows that it can move its code (moving_text.h); NULL: it does not */
	struct ranges ranges; /* of the probed functions, and of calls that are made for them elsewhere */
	char doubtful
		[128]; /* functions of which calls may be missed, or counted twice: "realloc, memalign"; cut to fit */
	u32 doubtful_count;
	bool hands_on; /* it has a malloc that hands calls on to another file's (wrapper.h) */
	const struct foreign_heap
		*heap;		  /* an allocator of which a part is seen (foreign_heap.h); NULL: none that is known */
	bool unknown;		  /* it has an allocator of no known family */
	struct pymalloc pymalloc; /* CPython's allocator; table_count 0: the file has none */
	bool inlined; /* the file has been given the sampler: its sites take the place of all the probes above */
	u64 sites[SAMPLER_SITES]; /* their file offsets, in the order of enum sampler_site */
};

/*
 * `pools`: those of --alloc, linked by `next`, which learn what was found. 0; -ENOENT: the file defines no allocator that
 * heaptap could probe, but may hand on, or have a `heap`; -EFBIG: sites beyond 4 GiB; or an error of elf and site.
 */
int plan_make(struct elf *elf, struct custom_allocator *pools, struct plan *ret_plan);

/* Is a throwing operator new among its functions? */
bool plan_throws(const struct plan *plan);

/* The cookie of one probe for a scope (SCOPE_BY_PID: unfiltered). */
u64 plan_cookie(const struct plan_probe *probe, u32 scope, u32 allocator);

/* The same of the returns. */
u64 plan_return_cookie(u32 scope, u32 allocator);
