/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The blocks that glibc's malloc keeps free, read from its own state (malloc/malloc.c, struct malloc_state; the layout of 2.27 to 2.41). No symbol is
 * needed: main_arena is in the data of the file, and shows itself. Those of its 127 lists of free blocks that are empty point to
 * themselves, and the last always is; so are the other arenas', to which it is linked.
 *
 *	 0  lock, flags, whether there are fast blocks (an int each), padding
 *	16  10 lists of fast blocks
 *	96  top: the block at the end, from which others are cut; the last remainder
 *     112  127 lists: first and last block of each. The links of a list begin where a block's would
 *    2144  a bit for each list
 *    2160  next arena, next free one; threads; bytes from the kernel now, and at most
 *
 * A block begins with the size of a free one before it, and its own, whose lowest bit says that the one before is in use; then, of a free
 * one, the next and the previous block of its list.
 *
 * Everything is checked, and what does not fit is refused: another layout, or a moment within a change. Blocks that were just freed and are kept
 * for the same thread (tcache) or the same size (fast blocks) are not counted.
 */
#include "profile/glibc_heap.h"
#include "system/residency.h"

#define GLIBC_ARENA_BYTES 2200

/*
 * The main arena in a mapping of a file's data: its address in the process. 0: there is none, or it cannot be read. `size` is not
 * looked at beyond 1 MiB.
 */
u64 glibc_arena_find(const struct smaps_area *area, glibc_heap_read *read, void *arg);

/* Free blocks, of all arenas. */
struct glibc_blocks {
	struct residency *blocks; /* address and size; owned */
	u32 count;
};

/* Blocks of this many lists at most are gone through; of the largest sizes first. */
#define GLIBC_BLOCKS_MAX 32768

/*
 * The top blocks and those in the lists. A list that changes meanwhile is followed as far as its blocks are linked in both ways. 0, -ENOMEM, or -EAGAIN: what is
 * there is not as it has to be. To be released either way.
 */
int glibc_arena_list(u64 main_arena, glibc_heap_read *read, void *arg, struct glibc_blocks *ret_blocks);
void glibc_blocks_release(struct glibc_blocks *blocks);
