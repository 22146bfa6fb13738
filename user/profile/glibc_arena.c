/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/glibc_arena.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define DATA_BYTES_MAX (1UL << 20)
#define PAGE_BYTES     4096UL
#define ALIGNMENT      8
#define LISTS	       127
#define UNSORTED       1  /* the number of the list of blocks that have not been put into theirs */
#define SMALL_LISTS    64 /* below it a list has blocks of one size, 16 times its number */
#define ARENAS_MAX     4096
#define LEAST_BYTES    32
#define PREVIOUS_USED  1ULL
#define FLAGS	       7ULL
#define LARGEST_BYTES  (1ULL << 46)
#define TRIES	       16 /* until the state is not within a change */

struct arena {
	u32 lock, flags, have_fast, padding;
	u64 fast[10];
	u64 top, remainder;
	u64 lists[LISTS][2]; /* first and last block */
	u32 bits[4];
	u64 next, next_free, threads, system_bytes, system_bytes_max;
};

_Static_assert(sizeof(struct arena) == GLIBC_ARENA_BYTES, "the layout in the header");

struct block {
	u64 previous_size, size, next, previous;
};

/* Where a list, from 1 on, stands as a block would: its links are where the block's would be. */
static u64 list_address(u64 arena, unsigned int number)
{
	return arena + offsetof(struct arena, lists) + (number - 1) * 2 * sizeof(u64) - offsetof(struct block, next);
}

static bool is_block(u64 address)
{
	return address && address % 16 == 0;
}

/* --- finding it --- */

static bool are_lists(const struct arena *arena, u64 address)
{
	for (unsigned int number = 1; number <= LISTS; number++) {
		const u64 *list = arena->lists[number - 1], itself = list_address(address, number);

		if (list[0] == itself && list[1] == itself)
			continue;
		if (number == LISTS || list[0] == itself || list[1] == itself || !is_block(list[0]) ||
		    !is_block(list[1]))
			return false;
	}
	return true;
}

static bool is_arena(const struct arena *arena, u64 address)
{
	return are_lists(arena, address) && is_block(arena->top) && arena->next && arena->next % ALIGNMENT == 0 &&
	       arena->system_bytes <= arena->system_bytes_max && arena->system_bytes_max < LARGEST_BYTES;
}

/* The last list is looked at first: where no arena is, that is all. */
static u64 find_in(const u8 *data, u64 size, u64 address)
{
	for (u64 at = 0; at + sizeof(struct arena) <= size; at += ALIGNMENT) {
		struct arena arena;
		u64 last;

		memcpy(&last, data + at + offsetof(struct arena, lists[LISTS - 1]), sizeof(last));
		if (last != list_address(address + at, LISTS))
			continue;
		memcpy(&arena, data + at, sizeof(arena));
		if (is_arena(&arena, address + at))
			return address + at;
	}
	return 0;
}

u64 glibc_arena_find(const struct smaps_area *area, glibc_heap_read *read, void *arg)
{
	u64 size = area->end - area->start, found = 0;
	u8 *data;

	if (!area->file || area->shared || !area->readable || !area->writable)
		return 0;
	size = size < DATA_BYTES_MAX ? size : DATA_BYTES_MAX;
	data = calloc(1, size);
	if (!data)
		return 0;
	/* What has never been written to may not be there, and cannot be read. */
	for (u64 at = 0; at < size; at += PAGE_BYTES)
		read(arg, area->start + at, data + at, PAGE_BYTES);
	found = find_in(data, size, area->start);
	free(data);
	return found;
}

/* --- what it keeps free --- */

struct walk {
	glibc_heap_read *read;
	void *arg;
	struct glibc_blocks *found;
	u32 left; /* of GLIBC_BLOCKS_MAX */
};

static int add(struct walk *walk, u64 address, u64 size)
{
	struct glibc_blocks *found = walk->found;

	if (array_grow(&found->blocks, found->count, 1))
		return -ENOMEM;
	found->blocks[found->count++] = (struct residency){.addr = address, .size = size};
	return 0;
}

/* A free one of the list: none that is free lies before it, or they would be one. */
static bool is_free(const struct arena *arena, unsigned int number, const struct block *block, u64 previous)
{
	u64 size = block->size & ~FLAGS;

	return (block->size & FLAGS) == PREVIOUS_USED && size >= LEAST_BYTES && size % 16 == 0 &&
	       size <= arena->system_bytes && block->previous == previous &&
	       (number == UNSORTED || (number < SMALL_LISTS ? size == number * 16ULL : size >= SMALL_LISTS * 16ULL));
}

/* It may change meanwhile: then it ends where two blocks are not linked both ways. */
static int walk_list(struct walk *walk, const struct arena *arena, u64 address, unsigned int number)
{
	u64 list = list_address(address, number), previous = list, at = arena->lists[number - 1][0];
	struct block block;
	int err = 0;

	while (at != list && walk->left && !err) {
		if (!is_block(at) || !walk->read(walk->arg, at, &block, sizeof(block)) ||
		    !is_free(arena, number, &block, previous))
			break;
		err = add(walk, at, block.size & ~FLAGS);
		walk->left--;
		previous = at;
		at = block.next;
	}
	return err;
}

static int read_arena(const struct walk *walk, u64 address, struct arena *ret_arena)
{
	return walk->read(walk->arg, address, ret_arena, sizeof(*ret_arena)) && is_arena(ret_arena, address) ? 0
													     : -EAGAIN;
}

/*
 * The top's size, if it is the top before and after that is read: a program that allocates moves it. 0: before the first block is cut from
 * it, it is a list's address.
 */
static int read_top(const struct walk *walk, const struct arena *arena, u64 address, u64 *ret_size)
{
	struct block top;
	u64 after;

	*ret_size = 0;
	if (arena->top == list_address(address, UNSORTED))
		return 0;
	if (!walk->read(walk->arg, arena->top, &top, offsetof(struct block, next)) ||
	    !walk->read(walk->arg, address + offsetof(struct arena, top), &after, sizeof(after)))
		return -EAGAIN;
	*ret_size = top.size & ~FLAGS;
	return after == arena->top && top.size & PREVIOUS_USED && *ret_size && *ret_size <= arena->system_bytes
		       ? 0
		       : -EAGAIN;
}

static int walk_arena(struct walk *walk, u64 address, u64 *ret_next)
{
	unsigned int tries = 0;
	struct arena arena;
	u64 size = 0;
	int err;

	do {
		err = read_arena(walk, address, &arena);
		err = err ? err : read_top(walk, &arena, address, &size);
	} while (err && ++tries < TRIES);
	if (err)
		return err;
	*ret_next = arena.next;
	err = size ? add(walk, arena.top, size) : 0;
	for (unsigned int number = LISTS; number >= UNSORTED && !err; number--)
		err = walk_list(walk, &arena, address, number);
	return err;
}

int glibc_arena_list(u64 main_arena, glibc_heap_read *read, void *arg, struct glibc_blocks *ret_blocks)
{
	struct walk walk = {.read = read, .arg = arg, .found = ret_blocks, .left = GLIBC_BLOCKS_MAX};
	u64 at = main_arena;
	int err;

	*ret_blocks = (struct glibc_blocks){0};
	for (u32 i = 0; i < ARENAS_MAX; i++) {
		err = walk_arena(&walk, at, &at);
		if (err || at == main_arena)
			return err;
	}
	return -EAGAIN;
}

void glibc_blocks_release(struct glibc_blocks *blocks)
{
	free(blocks->blocks);
	*blocks = (struct glibc_blocks){0};
}
