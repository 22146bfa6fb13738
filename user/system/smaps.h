/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Every mapping of a process with the memory behind it, from /proc/PID/smaps (proc_pid_smaps(5)). The kernel walks all page tables
 * of the process for it, some 15 ms for a gibibyte of small pages (bench/memory_parts.sh), and meanwhile the process may have to wait for a new
 * mapping: read it once for a snapshot, never in a loop.
 */
#include <stdio.h>
#include <sys/types.h>

#include "include/types.h"

#define SMAPS_NAME_SIZE 64

/* Sizes in bytes. HugeTLB pages are in none of the others. */
struct smaps_area {
	u64 start, end;
	u64 resident, share; /* Rss; Pss, where a page of n processes counts for one n-th */
	u64 lazy;	     /* LazyFree: given back, and resident until the kernel needs it (MADV_FREE) */
	u64 swap, hugetlb;   /* Swap; Shared_Hugetlb and Private_Hugetlb */
	bool readable, writable, executable;
	bool shared;		    /* with other processes that map it */
	bool file;		    /* of a file, which may be memory too (procfs_is_memory) */
	bool stack;		    /* mapped with MAP_STACK, as far as kernels from 6.7 on show it (VM_NOHUGEPAGE) */
	char name[SMAPS_NAME_SIZE]; /* path, "[heap]", "[anon: glibc: malloc]"; cut; "" for one without a name */
};

struct smaps {
	struct smaps_area *areas; /* ascending */
	u32 count;
};

/* From the text of smaps. Areas with lines that do not parse are left out. 0, -ENOMEM, or the negative errno of reading. */
int smaps_parse(FILE *in, struct smaps *ret_smaps);
void smaps_release(struct smaps *smaps);

/*
 * Open the file now and read it later: what is read is of the program that ran when it was opened, and nothing if the process has
 * executed another one since. A descriptor or negative errno.
 */
int smaps_open(pid_t pid);
int smaps_read(int fd, struct smaps *ret_smaps); /* closes it; -ESRCH: that program is gone */
