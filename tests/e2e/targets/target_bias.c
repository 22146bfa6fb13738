/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hardest mix for a byte sampler: 400 000 objects of 16 bytes and 16 of 32 MiB, all from one stack; then every
 * other one is freed. Scaling such a stack by its average would be wrong by orders of magnitude.
 */
#include <stdlib.h>

#include "target.h"

#define SMALL_COUNT 400000
#define SMALL_BYTES 16
#define LARGE_COUNT 16
#define LARGE_BYTES ((size_t)32 << 20)

static void *blocks[SMALL_COUNT + LARGE_COUNT];

__attribute__((noinline)) static void *allocate_mixed(size_t size)
{
	void *addr = malloc(size);

	__asm__ volatile("" : : "r"(addr) : "memory");
	return addr;
}

int main(void)
{
	target_await();
	for (int i = 0; i < SMALL_COUNT + LARGE_COUNT; i++)
		blocks[i] = allocate_mixed(i % (SMALL_COUNT / LARGE_COUNT + 1) ? SMALL_BYTES : LARGE_BYTES);
	for (int i = 0; i < SMALL_COUNT; i += 2)
		free(blocks[i]);
	target_await();
	return 0;
}
