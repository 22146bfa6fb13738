/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which bytes of a process's objects cost memory: what its page table says of their pages (/proc/PID/pagemap, described in
 * Documentation/admin-guide/mm/pagemap.rst of Linux), and whether resident ones hold anything but zeros, for which some are read
 * (process_vm_readv(2)). The process runs on meanwhile: an object that it frees and pages that it touches in that time are seen as
 * they are when it is their turn.
 */
#include <sys/types.h>

#include "include/types.h"

struct residency {
	u64 addr, size; /* of the object, set by the caller */
	u32 owner;	/* the caller's: objects are sorted */
	bool seen;	/* false: it was left out, and nothing is known of it */
	/* bytes of the object; what is left was never touched, or was given back to the kernel */
	u64 resident, swapped;
	/* pieces of the object, each in one resident page, that were read, and that were all zero */
	u32 read, zero;
};

/*
 * Fill in the objects, and sort them by address. At most `reads` pieces are read: as many of each object if that is one and more (but
 * not more than RESIDENCY_READS), else one of some objects, evenly chosen. Addresses and sizes are what the process says: an object that would take the
 * sum of all that was looked at beyond RESIDENCY_PAGES is left out, since that takes seconds. 0, -ENOMEM, or the negative errno with which the
 * page table could not be opened or read: -ENOENT, -ESRCH: it is gone; -EACCES, -EPERM: not permitted. Contents that cannot be read count as
 * not read.
 */
int residency_read(pid_t pid, struct residency *objects, u32 count, u32 reads);

#define RESIDENCY_READS 4
#define RESIDENCY_PAGES (1ULL << 28) /* a tebibyte */
