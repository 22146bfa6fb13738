/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it takes to get COMMAND to where it waits for its exec: milliseconds without and with stand-ins for its allocator
 * files, medians of ROUNDS. Run by bystander.sh.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "record/spare.h"
#include "probe/binaries.h"

#define ROUNDS 31

static double start(char **argv, char *path, bool spared)
{
	u64 from = clock_now_ns();
	struct workload workload;
	struct spare spare = {.target = NULL};
	sigset_t none;
	int err;

	sigemptyset(&none);
	err = spared ? spare_start(NULL, argv, path, &none, &workload, &spare)
		     : workload_start(argv, path, &none, NULL, &workload);
	if (err || (spared && !spare.count))
		exit(1);
	from = clock_now_ns() - from;
	workload_abandon(&workload);
	binaries_free(spare.target);
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
	char *path;

	if (argc < 2 || workload_find(argv[1], &path))
		return 2;
	for (int round = 0; round < ROUNDS; round++)
		for (int spared = 0; spared < 2; spared++)
			taken[spared][round] = start(argv + 1, path, spared);
	for (int spared = 0; spared < 2; spared++) {
		qsort(taken[spared], ROUNDS, sizeof(taken[spared][0]), compare);
		printf("%.3f\n", taken[spared][ROUNDS / 2]);
	}
	free(path);
	return 0;
}
