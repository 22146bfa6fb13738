/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A library that allocates in a function whose name the build says. Two such libraries have the same code at the same
 * places: only their names tell them apart.
 */
#include <stdlib.h>

void *KEEPS(size_t size);
void *keep(size_t size);

__attribute__((noinline)) void *KEEPS(size_t size)
{
	void *block = malloc(size);

	__asm__ volatile("" : "+r"(block));
	return block;
}

void *keep(size_t size)
{
	void *block = KEEPS(size);

	__asm__ volatile("" : "+r"(block));
	return block;
}
