/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a child of the tests with many processes does: for target_offspring, and target_brood's children that never exec.
 */
#include <stdlib.h>
#include <string.h>

#define OFFSPRING_BLOCKS 20

/* Leaves some blocks of every number's own sizes in use. Returns 0. */
__attribute__((noinline)) static int offspring(unsigned long number)
{
	void *blocks[OFFSPRING_BLOCKS];
	void *aligned = NULL;

	for (unsigned int i = 0; i < OFFSPRING_BLOCKS; i++)
		blocks[i] = i % 2 ? malloc(1000 + number) : calloc(2, 8 + i);
	for (unsigned int i = 0; i < OFFSPRING_BLOCKS; i += 2)
		blocks[i] = realloc(blocks[i], 3000 + i);
	for (unsigned int i = 0; i < OFFSPRING_BLOCKS / 2; i++)
		free(blocks[i]);
	if (!posix_memalign(&aligned, 64, 128) && number % 2)
		free(aligned);
	return 0;
}
