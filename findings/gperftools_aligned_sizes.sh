#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# gperftools' HEAPPROFILE: sizes are those requested for malloc, but those of the size class for aligned allocations.
#
# Expected: one profile, one measure of a block: what the program requested, or what the allocator gave.
# Seen: malloc(100) counts 100 bytes, aligned_alloc(4096, 100) counts 4096.
# For a profiler: two heap profiles of one program agree on its mallocs and differ forty times on its aligned blocks, though
# both are exact. Compare by objects there, not by bytes.
. "$(dirname "$0")/packages.bash"

fetch bookworm libgoogle-perftools4=2.10-1 libtcmalloc-minimal4=2.10-1 libunwind8=1.6.2-3
build <<'C'
#include <stdlib.h>

int main(void)
{
	for (int i = 0; i < 10; i++)
		free(malloc(100));
	for (int i = 0; i < 20; i++)
		free(aligned_alloc(4096, 100));
	return 0;
}
C
LD_LIBRARY_PATH=$libraries LD_PRELOAD=$libraries/libtcmalloc.so.4 HEAPPROFILE=$scratch/heap "$scratch/program" 2>/dev/null

bytes() { # OBJECTS: allocated by the one record that has that many
	sed -n "s/^ *0: *0 \[ *$1: *\([0-9]*\)\] @.*/\1/p" "$scratch/heap.0001.heap"
}

expect 'bytes of 10 x malloc(100)' 1000 "$(bytes 10)"
expect 'bytes of 20 x aligned_alloc(4096, 100)' 81920 "$(bytes 20)"
finish
