#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# memusage of glibc: a program that asks for the usable size of its blocks is told 4 GB.
#
# Expected: memusage wraps the allocator to count, and changes nothing that the program can see.
# Seen: it places a header of its own before each block, but does not wrap malloc_usable_size(), which takes the header's
# magic number for the size that malloc keeps there.
# For a profiler: a tool that wraps an allocator has to wrap all of it. Programs that fill a block up to its usable size must
# not be run under memusage, nor sizes be read with malloc_usable_size() when it is preloaded.
. "$(dirname "$0")/packages.bash"

fetch bookworm libc6=2.36-9+deb12u14 libc-devtools=2.36-9+deb12u14
build <<'C'
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	printf("%zu\n", malloc_usable_size(malloc(100)));
	return 0;
}
C
loader=("$libraries/ld-linux-x86-64.so.2" --library-path "$libraries")
expect 'usable bytes of malloc(100), alone' 104 "$("${loader[@]}" "$scratch/program")"
expect 'usable bytes of malloc(100), under memusage' 4276993688 \
	"$("${loader[@]}" --preload "$libraries/libmemusage.so" "$scratch/program" 2>/dev/null)"
finish
