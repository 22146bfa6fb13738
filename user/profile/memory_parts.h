/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the resident memory of a process consists of, at one moment: every page that the kernel counts (Rss in /proc/PID/smaps) is in
 * one part, so the parts' sum is the resident memory, to the page. Sizes in bytes.
 */
#include "include/types.h"

enum memory_part {
	MEMORY_HEAP,   /* the allocator's: what is in use, and what it keeps, rounded up or had before heaptap came */
	MEMORY_STACKS, /* of threads */
	MEMORY_FILES,  /* code, data and bss of programs and libraries, and other files that are mapped */
	MEMORY_SHARED, /* memory that processes share: shmem, memfd, System V */
	MEMORY_OTHERS, /* anonymous mappings that are not the allocator's: a runtime's heap, code made at run time */
	MEMORY_PART_MAX
};

extern const char *const memory_part_names[MEMORY_PART_MAX]; /* in JSON: "heap", "stacks" ... */

struct memory_amount {
	u64 resident;
	u64 swap;    /* swapped out, so not resident */
	u64 hugetlb; /* HugeTLB pages, which the kernel counts in no resident size */
};

/*
 * Mappings of MEMORY_OTHERS by name: the largest ones. Where several processes are merged they are so much at least, and one that is small in
 * each may be missing: each process tells its largest alone, and a name that has given way to others comes back without what it had.
 */
#define MEMORY_OTHERS_MAX      4
#define MEMORY_OTHER_NAME_SIZE 32

struct memory_other {
	char name[MEMORY_OTHER_NAME_SIZE]; /* the mapping's, or memory_unnamed, or memory_made_code */
	u32 mappings;
	struct memory_amount amount;
};

extern const char memory_unnamed[], memory_made_code[];

struct memory_parts {
	bool known;
	u32 processes;	  /* whose parts these are: more than one where several are merged */
	u64 read_unix_ns; /* when; of several, the last one */
	struct memory_amount part[MEMORY_PART_MAX];
	struct memory_other others[MEMORY_OTHERS_MAX]; /* largest first; what has no place here is in the part alone */
	u32 other_count;
	u32 stacks;    /* mappings that are stacks */
	u64 share;     /* Pss of all: where a page of n processes counts for one n-th */
	u64 heap_lazy; /* of the heap, given back and resident until the kernel needs it (LazyFree) */
	u64 counter;   /* VmRSS at that moment, which the kernel keeps apart and brings up to date late; 0: unknown */
	bool inuse_known;   /* false with --alloc-only */
	u64 inuse;	    /* of the heap, as estimated at that moment */
	double inuse_error; /* its standard error */
	bool free_known;    /* for glibc (glibc_arena.h) */
	u64 free;	    /* of the heap's resident pages, what the allocator keeps in free blocks, at least */
};

void memory_count(struct memory_amount *sum, const struct memory_amount *more); /* add it */
struct memory_amount memory_sum(const struct memory_parts *parts);

/*
 * What of the heap's resident pages is not accounted for by what is in use: blocks from before heaptap came, the rounding up of sizes, the
 * allocator's own tables, and free memory that it keeps. 0 where more is in use than resident (memory_untouched).
 */
u64 memory_kept(const struct memory_parts *parts);
/* As much of that as is known to be free; what is in use is only an estimate, so both may be more than there is. 0: none, or unknown. */
u64 memory_free(const struct memory_parts *parts);
/* At least so much of what is in use is not in the heap's resident pages: never touched, swapped out, in HugeTLB pages. */
u64 memory_untouched(const struct memory_parts *parts);

/* Add those of another process. */
void memory_add(struct memory_parts *sum, const struct memory_parts *more);

/* Add a mapping, or several, of MEMORY_OTHERS by its name; the smallest give way. The part itself is the caller's to count. */
void memory_add_other(struct memory_parts *parts, const struct memory_other *other);
