/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What user space tells the programs: the one rodata struct, the attach cookie, and the rows of the small tables. */
#include "types.h"

#define SCOPES_MIN	    64 /* rows of scopes and of counters; powers of two, see struct config */
#define SCOPES_MAX	    65536
#define RANGES_MAX	    128	       /* probed functions of one allocator file, and what they have to themselves */
#define UNWIND_ROWS_MAX	    (4U << 20) /* words of all unwind tables, see raw_stacks.h; even */
#define UNWIND_FILES_MAX    8192       /* files that the programs find by device and inode */
#define UNWIND_MAPPINGS_MAX 65536      /* executable mappings of all traced processes */
#define SCOPE_BY_PID	    63	       /* cookie: look the process up by pid (unfiltered link) */
#define SCOPE_INLINE	    2	       /* see struct scope, wide */
#define SCOPE_PAUSED	    3	       /* the same */
#define GROUP_PATH_MAX	    512

/* Which processes are traced beside those that user space names. */
enum population {
	POPULATION_LISTED = 0, /* none */
	POPULATION_FOLLOW = 1, /* their children, and the children's */
	POPULATION_CGROUP = 2, /* all of a cgroup and of those below it */
	POPULATION_ALL = 3,    /* all, but for heaptap and its children */
};

struct config {
	u64 sample_bytes; /* mean bytes between samples, 1 .. 2^32 - 1 */
	u64 ring_bytes;
	u64 ring_half;	/* bytes in the ring from which a wake-up is forced, and shares are looked at */
	u32 tally_mask; /* an image counts in row (process number & mask); user space empties it when the image ends */
	u32 pidns_inum; /* inode number of heaptap's PID namespace; 0: the initial one */
	u32 self;	/* heaptap's own pid, as numbered there */
	u32 keeper;	/* that of the process that holds its links */
	u32 exe_device; /* of a population, only processes that run this file: inode and the kernel's device number */
	u64 exe_inode;	/* 0: any file */
	char comm[16];	/* of a population, only processes of that name; empty: any name */
	u8 alloc_only;
	u8 fair;	   /* several processes share the ring: see ring_share in emit.bpf.h */
	u8 show_allocator; /* stacks begin in the allocator's function, not in its caller */
};

/* How system calls that map memory are seen, if at all. */
enum region_method {
	REGIONS_NOT = 0,
	REGIONS_BY_FUNCTION = 1,   /* at the kernel's functions for them */
	REGIONS_BY_TRACEPOINT = 2, /* at the tracepoints of all system calls, of which each then takes longer */
};

/* The cgroup of POPULATION_CGROUP. A group that is made again under the same path takes its place at once. */
struct group {
	u64 id;		   /* of the directory: its inode number */
	u32 level;	   /* its depth in the hierarchy, the root's being 0 */
	u32 made;	   /* how often it has been made anew */
	u32 programs_only; /* a process that is moved in joins when it execs there, not before; its children too */
	u32 reserved;
	char path[GROUP_PATH_MAX];
};

/* What a probed function does; the kernel side of the allocator table in user/probe/allocator.c. "One" and "two" are the
 * arguments whose registers the cookie names, whichever of the function's they are. */
enum call_kind {
	CALL_NONE = 0,
	CALL_MALLOC = 1,	 /* one: size */
	CALL_CALLOC = 2,	 /* one: count, two: size */
	CALL_REALLOC = 3,	 /* one: ptr, two: size; of NULL it is malloc's, of size 0 it frees (glibc) */
	CALL_ALIGNED = 4,	 /* one: alignment, two: size; up to 16 it is malloc's (glibc) */
	CALL_POSIX_MEMALIGN = 5, /* one: ret_ptr, two: size; returns 0 on success */
	CALL_FREE = 6,		 /* one: ptr */
	CALL_RESIZE = 7, /* one: ptr, two: size; of NULL it allocates, of size 0 its result says what it has done */
	CALL_RETURN = 8, /* not a function, but one of the instructions by which one of --alloc returns */
	CALL_RESIZE_ARRAY = 9, /* one: ptr, two: count, in rdx: size; else the same */
	CALL_DUPLICATE = 10,   /* returns a string, which says how much was asked for */
	CALL_PASSED = 11,      /* no function, but a jump from one to another: the other one counts the call */
	/* From here on a failure may throw, and must not meet a return leg. */
	CALL_NEW = 12,	     /* one: size */
	CALL_NEW_ARRAY = 13, /* one: count, two: size */
	CALL_INLINE = 14,    /* no function, but a site of the sampler in the process: one is its enum sampler_site */
};

/*
 * Registers an argument can be followed into; the number fits the cookie's four bits. The x86-64 encoding order, so
 * that a decoder's register maps by subtraction.
 */
enum arg_register {
	ARG_AX,
	ARG_CX,
	ARG_DX,
	ARG_BX,
	ARG_SP,
	ARG_BP,
	ARG_SI,
	ARG_DI,
	ARG_R8,
	ARG_R9,
	ARG_R10,
	ARG_R11,
	ARG_R12,
	ARG_R13,
	ARG_R14,
	ARG_R15,
};

/*
 * The attach cookie: everything the program needs to know about the site it was hit at.
 *   bits 0-3 call kind | 4-11 registers of arguments one, two | 12-17 scope | 18-27 allocator | 28 unseen return |
 *   29 small blocks only | 32-63 site's file offset
 * The allocator number names a row of the ranges that tell a nested call. Filtered links are few, so are their scopes.
 */
#define ALLOCATORS_MAX 1024 /* allocator files probed at once */
#define COOKIE_RETURN_UNSEEN                                                                                           \
	(1ULL << 28) /* of --alloc: the function's returns are not probed, it is counted at its entry */

#define COOKIE_SMALL                                                                                                   \
	(1ULL << 29) /* the function serves 1 to SMALL_BYTES_MAX bytes; what else is asked of it is counted elsewhere */
#define SMALL_BYTES_MAX 512

static inline u64 cookie_make(u32 kind, u32 arg1, u32 arg2, u32 scope, u32 allocator, u32 site)
{
	return (u64)(kind & 15) | (u64)(arg1 & 15) << 4 | (u64)(arg2 & 15) << 8 | (u64)(scope & 63) << 12 |
	       (u64)(allocator & 0x3ff) << 18 | (u64)site << 32;
}
static inline u32 cookie_kind(u64 cookie)
{
	return cookie & 15;
}
static inline u32 cookie_arg1(u64 cookie)
{
	return cookie >> 4 & 15;
}
static inline u32 cookie_arg2(u64 cookie)
{
	return cookie >> 8 & 15;
}
static inline u32 cookie_scope(u64 cookie)
{
	return cookie >> 12 & 63;
}
static inline u32 cookie_allocator(u64 cookie)
{
	return cookie >> 18 & 0x3ff;
}
static inline u32 cookie_site(u64 cookie)
{
	return cookie >> 32;
}

/*
 * The cookie at a function of Go's runtime (bpf/go.bpf.c), which says nothing of whose the hit is:
 *   bits 0-7 enum go_site | 8-15 the kind of a special that is an object's in Go's heap profile | 16-23 where a special has its kind
 */
enum go_site {
	GO_BORN =
		0, /* runtime.setprofilebucket(object, bucket): an object has been sampled, and booked to the bucket */
	GO_DIED = 1, /* runtime.freeSpecial(special, object, size): the sweep has found an object that is dead */
};

static inline u64 go_cookie_make(enum go_site site, u32 kind, u32 kind_offset)
{
	return (u64)site | (u64)(kind & 0xff) << 8 | (u64)(kind_offset & 0xff) << 16;
}
static inline u32 go_cookie_site(u64 cookie)
{
	return cookie & 0xff;
}
static inline u32 go_cookie_kind(u64 cookie)
{
	return cookie >> 8 & 0xff;
}
static inline u32 go_cookie_kind_offset(u64 cookie)
{
	return cookie >> 16 & 0xff;
}

/*
 * One traced process. `process` is 0 until its first image begins (COMMAND before its exec), while it is only followed
 * (see struct config, comm), and after its end, when `pid` is 0 too. `wide` says which links serve it: 0 those filtered by PID, 1 the
 * unfiltered ones, SCOPE_INLINE neither, as the sampler in its memory (include/sampler.h) counts for all its files; a forked child has that
 * too, and an exec ends it; SCOPE_PAUSED none, for the moment. The others' hits are ignored, so that it can move from one kind to the other with every call counted
 * once. A child that shares its parent's memory has the parent's scope until it execs, so `pid` tells who owns it.
 */
struct scope {
	u32 process;
	u32 pid;
	u32 wide;
	u32 told;	      /* user space knows it, and gives its number back when it is done with it */
	u32 mappings_process; /* the process number that `mappings` belongs to; another one's are not known yet */
	u32 generation;	      /* of `mappings`: another one where equal addresses may mean other code since */
	u32 new_max;	      /* operator new of fewer bytes cannot be expected to fail; 0: not known, or no matter */
	u32 victim_pages;     /* resident when the OOM killer chose it; 0: it has not */
	u64 mappings;	      /* its mappings: index of the first in unwind_mappings << 32 | how many */
	u32 go;		      /* the process number of a program of Go's, once its sampled objects are to be followed */
	u32 reserved;
};

_Static_assert(sizeof(struct scope) == 48, "scope: user space maps the rows of an array, which are 8-byte aligned");

/* File offsets [start, end) of one allocator file's probed functions: a call from within is the allocator's own. So is
 * one from code that only they use, where the plan knows of such. */
struct range {
	u32 start;
	u32 end;
};
struct ranges {
	u32 count;
	u32 reserved;
	struct range range[RANGES_MAX];
};
