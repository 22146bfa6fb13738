/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/glibc_heap.h"

#define HEAP_BYTES (64ULL << 20) /* HEAP_MAX_SIZE, twice the largest mmap threshold */
#define PAGE_BYTES 4096
#define IS_MMAPPED 2
#define FLAGS	   7
#define BLOCKS_MAX 4096 /* in one mapping: more are not looked at */

/* An arena of the process: in a heap of its own, or the main one in libc. Never where a heap's own fields are not. */
static bool is_arena_heap(const struct smaps_area *area, glibc_heap_read *read, void *arg)
{
	struct {
		u64 arena, previous, size, writable;
	} heap;

	if (area->start % HEAP_BYTES || !read(arg, area->start, &heap, sizeof(heap)))
		return false;
	return heap.arena && heap.arena % 16 == 0 && heap.previous % HEAP_BYTES == 0 && heap.size &&
	       heap.size <= heap.writable && heap.writable <= HEAP_BYTES && heap.writable % PAGE_BYTES == 0 &&
	       heap.writable <= area->end - area->start &&
	       (heap.previous ? heap.previous != area->start : heap.arena / HEAP_BYTES == area->start / HEAP_BYTES);
}

static bool is_blocks(const struct smaps_area *area, glibc_heap_read *read, void *arg)
{
	u64 at = area->start;

	for (u32 i = 0; i < BLOCKS_MAX && at < area->end; i++) {
		struct {
			u64 padding, size;
		} block;

		if (!read(arg, at, &block, sizeof(block)) || block.padding || (block.size & FLAGS) != IS_MMAPPED)
			return false;
		block.size -= IS_MMAPPED;
		if (!block.size || block.size % PAGE_BYTES || block.size > area->end - at)
			return false;
		at += block.size;
	}
	return at == area->end;
}

bool glibc_heap_is(const struct smaps_area *area, glibc_heap_read *read, void *arg)
{
	if (*area->name || area->file || area->shared || area->executable || !area->readable || !area->writable)
		return false;
	return is_arena_heap(area, read, arg) || is_blocks(area, read, arg);
}
