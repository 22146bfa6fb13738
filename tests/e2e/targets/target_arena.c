/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A malloc of the program's own, out of an arena. realloc calls malloc, and ends the old block without a call of free. */
#include <stdlib.h>
#include <string.h>

#define ARENA  (1 << 20)
#define HEADER 16
#define BLOCKS 10

static char arena[ARENA] __attribute__((aligned(HEADER)));
static size_t used;
static void *volatile kept[BLOCKS];

__attribute__((noinline)) void *malloc(size_t size)
{
	char *place = arena + used;

	if (size > ARENA / 2 || used + size + 2 * HEADER > ARENA)
		return NULL;
	used += (size + 2 * HEADER - 1) / HEADER * HEADER;
	*(size_t *)(void *)place = size;
	return place + HEADER;
}

__attribute__((noinline)) void free(void *block)
{
	__asm__ volatile("" : : "r"(block) : "memory");
}

__attribute__((noinline)) void *realloc(void *block, size_t size)
{
	void *moved = malloc(size);
	size_t old = block ? *(size_t *)(void *)((char *)block - HEADER) : 0;

	if (moved && block)
		memcpy(moved, block, old < size ? old : size);
	return moved;
}

int main(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		kept[i] = malloc(100);
		kept[i] = realloc(kept[i], 200);
		kept[i] = realloc(kept[i], 300);
		if (i % 2)
			free(kept[i]);
	}
	return 0;
}
