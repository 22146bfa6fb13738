/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Memory that is zero in a forked child. From Linux 6.11 on, memory that the kernel may drop is so, and is had by mmap, which
 * every allocator calls: a seccomp filter that kills at madvise lets it pass. What is dropped becomes zero, too.
 */
#include "inline/blob/syscall.h"

#define PROTECTION_READ_WRITE 3
#define MAP_FIXED_DROPPABLE   0x38 /* MAP_DROPPABLE | MAP_FIXED | MAP_ANONYMOUS */
#define MADVISE_WIPEONFORK    18

/* Whole pages of private anonymous memory; what is in them is lost. Where the kernel refuses, children inherit them as before. */
static inline void fork_wipe(void *pages, u64 bytes)
{
	u64 address = (u64)(uintptr_t)pages;

	if (syscall_6(SYSCALL_MMAP, address, bytes, PROTECTION_READ_WRITE, MAP_FIXED_DROPPABLE, -1ULL, 0) < 0)
		syscall_3(SYSCALL_MADVISE, address, bytes, MADVISE_WIPEONFORK);
}
