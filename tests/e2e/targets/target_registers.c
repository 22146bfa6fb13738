/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program with a pool in the same file as its callers, which its compiler lets keep values in registers that the pool's functions
 * leave alone (-fipa-ra). BLOCKS times six numbers are kept over pool_get, pool_grow and pool_put, and it says if one is lost.
 * Every KEPT_EACHth block stays.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "target.h"

#define BLOCKS	   300000
#define KEPT_EACH  1000
#define POOL_BYTES (BLOCKS * 2 * 64L)

static char pool[POOL_BYTES];
static char *pool_next = pool;
static uint64_t pool_puts;

__attribute__((noinline)) void *pool_get(size_t size)
{
	char *block = pool_next;

	pool_next += 64 + size / 1024;
	return block;
}

__attribute__((noinline)) void *pool_grow(void *old, size_t size)
{
	char *block = pool_next;

	pool_next += old ? 64 + size / 1024 : 0;
	return block;
}

__attribute__((noinline)) void pool_put(void *block)
{
	pool_puts += block != NULL;
}

static __attribute__((noinline)) uint64_t over_get(size_t size, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
						   uint64_t f, void **ret_block)
{
	*ret_block = pool_get(size);
	return b + c * 3 + d * 5 + e * 7 + f * 11;
}

static __attribute__((noinline)) uint64_t over_grow(void **block, size_t size, uint64_t c, uint64_t d, uint64_t e,
						    uint64_t f)
{
	void *grown = pool_grow(*block, size);

	*block = grown;
	return c * 3 + d * 5 + e * 7 + f * 11;
}

static __attribute__((noinline)) uint64_t over_put(void *block, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
						   uint64_t f)
{
	pool_put(block);
	return b + c * 3 + d * 5 + e * 7 + f * 11;
}

/* With other numbers each time. */
static int loses(uint64_t i)
{
	uint64_t b = i * 13, c = i ^ 77, d = ~i, e = i << 7, f = i * i, more = c * 3 + d * 5 + e * 7 + f * 11;
	void *block;
	int lost;

	lost = over_get(16 + i % 100, b, c, d, e, f, &block) != b + more;
	lost |= over_grow(&block, 200 + i % 100, c, d, e, f) != more;
	if (i % KEPT_EACH)
		lost |= over_put(block, b, c, d, e, f) != b + more;
	return lost;
}

int main(void)
{
	unsigned int lost = 0;

	target_await();
	for (uint64_t i = 0; i < BLOCKS; i++)
		lost += (unsigned int)loses(i);
	if (lost)
		fprintf(stderr, "%u of %u times a number was lost\n", lost, BLOCKS);
	return lost || pool_puts != BLOCKS - BLOCKS / KEPT_EACH;
}
