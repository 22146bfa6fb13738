/* SPDX-License-Identifier: GPL-2.0-or-later */
/* target_tables LIBRARY...: loads them all (those that can be), stands ready, then allocates 1 000 blocks of 3 000 bytes. */
#include <dlfcn.h>
#include <stdlib.h>

#include "target.h"

static void *volatile kept;

__attribute__((noinline)) static void keep_one(int level)
{
	volatile char room[24] = {0};

	if (level)
		keep_one(level - 1);
	else
		kept = malloc(3000);
	room[0]++;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		dlopen(argv[i], RTLD_NOW);
	target_await();
	for (int i = 0; i < 1000; i++)
		keep_one(5);
	return 0;
}
