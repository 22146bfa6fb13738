#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# mimalloc 3: equal requests for an aligned block have four different usable sizes, one after the other.
#
# Expected: the usable size is a function of request and alignment.
# Seen: aligned_alloc(4096, 1) takes a larger block and returns the aligned place in it. What is left behind that place is said to be
# usable: 1152, 2176, 3200 or 4224 bytes, as the block happens to lie.
# For a profiler: one that weighs blocks by malloc_usable_size() shows a site that always asks for one byte as one of mixed sizes, and
# the sizes of two runs differ; the block taken is larger than any of them.
. "$(dirname "$0")/packages.bash"

fetch trixie libmimalloc3=3.0.1+ds-2.1
build <<'C'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	for (int i = 0; i < 16; i++)
		printf("%zu\n", malloc_usable_size(aligned_alloc(4096, 1)));
	return 0;
}
C
expect 'usable bytes of 16 x aligned_alloc(4096, 1)' '1152 2176 3200 4224 ' \
	"$(LD_PRELOAD=$libraries/libmimalloc.so.3 "$scratch/program" | sort -nu | tr '\n' ' ')"
finish
