/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/arena.h"

#include <stdlib.h>

/* Blocks grow with what is in use, so that little is left over whether there is little or much. */
#define BLOCK_MIN 512
#define BLOCK_MAX (1UL << 18)
#define ALIGNMENT sizeof(void *)

struct arena_block {
	struct arena_block *next;
	size_t size;
	char memory[];
};

static int add_block(struct arena *arena, size_t least)
{
	size_t size = arena->total < BLOCK_MIN ? BLOCK_MIN : arena->total < BLOCK_MAX ? arena->total : BLOCK_MAX;
	struct arena_block *block;

	size = size < least ? least : size;
	block = malloc(sizeof(*block) + size);
	if (!block)
		return -1;
	*block = (struct arena_block){.next = arena->blocks, .size = size};
	arena->blocks = block;
	arena->used = 0;
	arena->total += size;
	return 0;
}

void *arena_take(struct arena *arena, size_t size)
{
	size_t rounded = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	void *memory;

	if (rounded < size || rounded > (size_t)-1 - sizeof(struct arena_block))
		return NULL;
	if (!arena->blocks || arena->blocks->size - arena->used < rounded)
		if (add_block(arena, rounded))
			return NULL;
	memory = arena->blocks->memory + arena->used;
	arena->used += rounded;
	return memory;
}

void arena_release(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	*arena = (struct arena){0};
}
