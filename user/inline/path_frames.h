/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Call frame information of fast paths, as an .eh_frame: for what interrupts a program there and looks for its callers, such as a
 * profiler of its own. A fast path leaves the stack as it is, or keeps registers there, but for the instructions that were moved into it:
 * what the file says of them at their old place is copied. A function of which it says nothing has nothing for its path either, as the way would be lost
 * in the function itself.
 */
#include <stddef.h>

#include "inline/fast_path.h"

struct elf;

/* Virtual addresses. */
struct framed_path {
	u64 function;
	u64 start, end;
	u64 original; /* where the moved instructions are, within */
	const struct moved_code *moved;
	struct fast_path_depth depths[FAST_PATH_DEPTHS];
	u32 depth_count;
};

/* Bytes that so many paths have at most, and functions of which they speak. */
size_t path_frames_room(u32 count);
u32 path_frames_count(u32 count);

/*
 * Write those of paths of `elf` for virtual address `address`; no empty entry ends them. 0; also if the file has none that can be
 * read, and *ret_size is 0. -ENOMEM, or an error of reading.
 */
int path_frames_make(const struct elf *elf, const struct framed_path *paths, u32 count, u64 address, u8 *ret_bytes,
		     size_t *ret_size);
