#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# memusage of glibc: aligned blocks are not there, neither their allocation nor their free.
#
# Expected: its totals and its peak are of all that the program has from malloc, whatever the name of the function.
# Seen: malloc, calloc, realloc and free are counted; aligned_alloc, posix_memalign, memalign and valloc are not, and free
# passes their blocks on without counting them, so that the calls balance all the same.
# For a profiler: C++ takes each type with a larger alignment from aligned_alloc. memusage is no reference for totals.
. "$(dirname "$0")/packages.bash"

fetch bookworm libc6=2.36-9+deb12u14 libc-devtools=2.36-9+deb12u14
build <<'C'
#include <malloc.h>
#include <stdlib.h>

int main(void)
{
	void *block = malloc(1000), *aligned[4];

	aligned[0] = aligned_alloc(64, 1 << 20);
	aligned[1] = memalign(64, 1 << 20);
	aligned[2] = valloc(1 << 20);
	if (posix_memalign(&aligned[3], 64, 1 << 20))
		return 1;
	for (int i = 0; i < 4; i++)
		free(aligned[i]);
	free(block);
	return 0;
}
C
"$libraries/ld-linux-x86-64.so.2" --library-path "$libraries" --preload "$libraries/libmemusage.so" "$scratch/program" \
	2>"$scratch/said"
sed -i 's/\x1b\[[0-9;]*m//g' "$scratch/said"
expect 'peak in bytes, of 4 MiB in five blocks' 1000 "$(sed -n 's/.*heap peak: \([0-9]*\).*/\1/p' "$scratch/said")"
expect 'calls of free, of five' 1 "$(awk '$1 == "free|" { print $2 }' "$scratch/said")"
finish
