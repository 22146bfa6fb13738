/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A loop of malloc and free that is not to be traced. For every line it reads it says what a pair cost: the CPU
 * time of the fastest of several rounds, so that other work on the machine does not show.
 *
 *   target_outside [DIR]      speaks through DIR/in and DIR/out, or its standard streams
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "talk.h"

#define PAIRS  20000
#define ROUNDS 50

static double cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double fastest(void)
{
	double least = 1e18;

	for (int round = 0; round < ROUNDS; round++) {
		double start = cpu_ns(), spent;

		for (int i = 0; i < PAIRS; i++) {
			void *volatile block = malloc(64);

			free(block);
		}
		spent = cpu_ns() - start;
		least = spent < least ? spent : least;
	}
	return least / PAIRS;
}

int main(int argc, char **argv)
{
	char line[64];

	if (argc > 1)
		talk_through(argv[1]);
	while (talk_hear(line, sizeof(line)))
		talk_say("%.1f", fastest());
	return 0;
}
