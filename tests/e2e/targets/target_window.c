/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three phases with a wait before each but the first and after the last; each frees half of what the one before kept. */
#include <stdlib.h>

#include "target.h"

#define OBJECTS 100

static void *volatile kept[3][OBJECTS];

__attribute__((noinline)) static void free_half(int phase)
{
	for (int i = 0; i < OBJECTS / 2; i++)
		free(kept[phase][i]);
}

__attribute__((noinline)) static void allocate_before(void)
{
	for (int i = 0; i < OBJECTS; i++)
		kept[0][i] = malloc(1000);
}

__attribute__((noinline)) static void allocate_first(void)
{
	for (int i = 0; i < OBJECTS; i++)
		kept[1][i] = malloc(2000);
}

__attribute__((noinline)) static void allocate_second(void)
{
	for (int i = 0; i < OBJECTS; i++)
		kept[2][i] = malloc(3000);
}

int main(void)
{
	allocate_before();
	target_await();
	allocate_first();
	free_half(0);
	target_await();
	allocate_second();
	free_half(1);
	target_await();
	return 0;
}
