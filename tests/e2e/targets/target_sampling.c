/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two experiments of 50 000 rounds: six sizes in turn from six lines of one function, and three small ones. All is
 * freed but an estimate of what was allocated must come out for each size alone. The argument says which, "large" or
 * "small".
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define ROUNDS 50000

static void *volatile sink;

__attribute__((noinline)) static void allocate_interleaved(void)
{
	sink = malloc(17 * 1024);
	free(sink);
	sink = malloc(1024);
	free(sink);
	sink = malloc(18 * 1024);
	free(sink);
	sink = malloc(512);
	free(sink);
	sink = malloc(16 * 1024);
	free(sink);
	sink = malloc(256);
	free(sink);
}

__attribute__((noinline)) static void allocate_small(void)
{
	sink = malloc(1024);
	free(sink);
	sink = malloc(512);
	free(sink);
	sink = malloc(256);
	free(sink);
}

int main(int argc, char **argv)
{
	int small = argc > 1 && !strcmp(argv[1], "small");

	target_await();
	for (int i = 0; i < ROUNDS; i++) {
		if (small)
			allocate_small();
		else
			allocate_interleaved();
		if (i % 64 == 0)
			sched_yield();
	}
	return 0;
}
