#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# oneTBB's malloc: one byte above 8128 a block takes twice the memory, and its usable size is suddenly exact.
#
# Expected: malloc_usable_size() is what the block can hold, so that size less request is the allocator's rounding.
# Seen: up to 8128 bytes it is the size class, above it is the request itself: 8129 bytes are said to have 8129, though blocks of that
# size lie 16448 bytes apart. 5377 bytes, which take 8128, look worse than 8129, which take twice as much.
# For a profiler: waste computed as usable minus requested is zero for all large blocks, just where it is largest.
. "$(dirname "$0")/packages.bash"

fetch bookworm libtbbmalloc2=2021.8.0-2+deb12u1
build <<'C'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCKS 64

/* Usable size, and the least distance between two blocks. */
int main(int argc, char **argv)
{
	char *blocks[BLOCKS];
	long least = 1L << 40, size = argc > 1 ? atol(argv[1]) : 0;

	for (int i = 0; i < BLOCKS; i++) {
		blocks[i] = malloc(size);
		for (int j = 0; j < i; j++)
			if (labs(blocks[i] - blocks[j]) < least)
				least = labs(blocks[i] - blocks[j]);
	}
	printf("%zu usable, %ld apart\n", malloc_usable_size(blocks[0]), least);
	return 0;
}
C

run() { # SIZE
	LD_LIBRARY_PATH=$libraries LD_PRELOAD=$libraries/libtbbmalloc_proxy.so.2 "$scratch/program" "$1"
}

expect 'malloc(5377)' '8128 usable, 8128 apart' "$(run 5377)"
expect 'malloc(8128)' '8128 usable, 8128 apart' "$(run 8128)"
expect 'malloc(8129)' '8129 usable, 16448 apart' "$(run 8129)"
finish
