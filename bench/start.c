/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it takes to get COMMAND to where it waits for its exec: milliseconds without and with copies of its allocator
 * files, and with copies that have the sampler, medians of ROUNDS.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "record/launch.h"

#define ROUNDS	 31
#define INTERVAL (512 << 10)

/* What COMMAND is started on: the files there are, copies of them, copies with the sampler. */
enum files {
	REAL,
	COPIES,
	SAMPLER,
	FILES
};

static double start(char **argv, enum files files)
{
	struct selection_options options = {
		.command = argv,
		.population = POPULATION_FOLLOW,
		.shared_mounts = files == REAL,
		.inlined = files == SAMPLER,
	};
	struct selection selection = {.options = &options};
	u64 from = clock_now_ns();
	struct launch launch = {0};
	sigset_t none;

	sigemptyset(&none);
	if (launch_start(&selection, INTERVAL, &none, &launch) || (files != REAL && !launch.copies) ||
	    (files == SAMPLER && !launch.inlined))
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
	double taken[FILES][ROUNDS];

	if (argc < 2)
		return 2;
	for (int round = 0; round < ROUNDS; round++)
		for (enum files files = REAL; files < FILES; files++)
			taken[files][round] = start(argv + 1, files);
	for (enum files files = REAL; files < FILES; files++) {
		qsort(taken[files], ROUNDS, sizeof(taken[files][0]), compare);
		printf("%.3f\n", taken[files][ROUNDS / 2]);
	}
	return 0;
}
