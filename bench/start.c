/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it takes to get COMMAND to where it waits for its exec: milliseconds without and with copies of its allocator
 * files, medians of ROUNDS.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "record/launch.h"

#define ROUNDS 31

static double start(char **argv, bool copies)
{
	struct selection_options options = {
		.command = argv,
		.population = POPULATION_FOLLOW,
		.shared_mounts = !copies,
	};
	struct selection selection = {.options = &options};
	u64 from = clock_now_ns();
	struct launch launch = {0};
	sigset_t none;

	sigemptyset(&none);
	if (launch_start(&selection, &none, &launch) || (copies && !launch.copies))
		exit(1);
	from = clock_now_ns() - from;
	launch_abandon(&launch);
	launch_free(&launch);
	return (double)from / 1e6;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
	double taken[2][ROUNDS];

	if (argc < 2)
		return 2;
	for (int round = 0; round < ROUNDS; round++)
		for (int copies = 0; copies < 2; copies++)
			taken[copies][round] = start(argv + 1, copies);
	for (int copies = 0; copies < 2; copies++) {
		qsort(taken[copies], ROUNDS, sizeof(taken[copies][0]), compare);
		printf("%.3f\n", taken[copies][ROUNDS / 2]);
	}
	return 0;
}
