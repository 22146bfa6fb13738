#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Boehm's collector: a block of 16 bytes takes 32, though there are blocks of 16.
#
# Expected: a request that is a multiple of 16, the step between the size classes, fits its class exactly.
# Seen: where pointers to the end of a block keep it alive, which is the default, each request is made one byte larger first. So
# multiples of 16 always fall into the next class, and one byte less would fit: 15 bytes take 16, 16 take 32, 32 take 48.
# For a profiler: the bytes requested from GC_malloc are half of what is taken for two-word cells, the commonest object of
# languages that are built on this collector. GC_size() has the true figure.
. "$(dirname "$0")/packages.bash"

fetch bookworm libgc1=1:8.2.2-3 libgc-dev=1:8.2.2-3
build -I"$root/usr/include" "$libraries/libgc.so.1" <<'C'
#include <gc/gc.h>
#include <stdio.h>

int main(void)
{
	GC_INIT();
	for (size_t size = 16; size <= 256; size *= 2)
		printf("%zu:%zu %zu:%zu ", size - 1, GC_size(GC_malloc(size - 1)), size, GC_size(GC_malloc(size)));
	return 0;
}
C
expect 'requested:taken' '15:16 16:32 31:32 32:48 63:64 64:80 127:128 128:144 255:256 256:272 ' \
	"$(LD_LIBRARY_PATH=$libraries "$scratch/program")"
finish
