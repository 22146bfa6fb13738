#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# jemalloc: a block that is sampled takes a page of its own, but neither malloc_usable_size() nor the dump says so.
#
# Expected: turning on the heap profiler costs time and some memory for stacks; the program's own blocks stay as they are.
# Seen: with every block sampled, 20000 blocks of 64 bytes take 80 MiB in place of 1.6 MiB; usable size and dump still say 64.
# For a profiler: the memory of a process that profiles itself with a small sample interval is not that of the process one wants
# to know, and no column of its profile shows the difference. Compare RSS without the profiler.
. "$(dirname "$0")/packages.bash"

fetch bookworm libjemalloc2=5.3.0-1
build <<'C'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long resident_kib(void)
{
	long size = 0, resident = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file || fscanf(file, "%ld %ld", &size, &resident) != 2)
		exit(1);
	fclose(file);
	return resident * 4;
}

int main(void)
{
	char *block = NULL;
	long before = resident_kib();

	for (int i = 0; i < 20000; i++) {
		block = malloc(64);
		memset(block, 1, 64);
	}
	printf("%ld %zu\n", resident_kib() - before, malloc_usable_size(block));
	return 0;
}
C

run() { # OPTIONS
	MALLOC_CONF=$1 LD_PRELOAD=$libraries/libjemalloc.so.2 "$scratch/program"
}

read -r plain usable <<<"$(run prof:false)"
expect_true "not profiled: $plain KiB more resident, usable size $usable" "$plain < 4096 && $usable == 64"
read -r sampled usable <<<"$(run prof:true,lg_prof_sample:0)"
expect_true "lg_prof_sample:0: $sampled KiB more resident, usable size $usable" "$sampled > 70000 && $usable == 64"
finish
