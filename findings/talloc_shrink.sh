#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# talloc: a block made smaller in steps below 1 KiB never gets smaller, and talloc_total_size() does not know.
#
# Expected: a resize that talloc reports as done reached realloc(), or what was left over is bounded by one step's 1 KiB.
# Seen: each step that frees less than 1 KiB only writes down the new size, and the next is measured from there. A megabyte brought
# down to 1000 bytes in steps of 1000 is a megabyte still.
# For a profiler: it sees no realloc and keeps 1 MB in use at the site of the first allocation. It is right, and the program's own
# report of 1000 bytes is wrong.
. "$(dirname "$0")/packages.bash"

fetch bookworm libtalloc2=2.4.0-f2 libtalloc-dev=2.4.0-f2
build -I"$root/usr/include" "$libraries/libtalloc.so.2" <<'C'
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <talloc.h>

int main(void)
{
	void *context = talloc_new(NULL);
	char *block = talloc_size(context, 1000000);
	struct mallinfo2 info;

	for (size_t size = 999000; size > 0; size -= 1000)
		block = talloc_realloc_size(context, block, size);
	info = mallinfo2();
	printf("%zu %zu\n", talloc_total_size(context), info.uordblks + info.hblkhd);
	return 0;
}
C
read -r told held <<<"$(LD_LIBRARY_PATH=$libraries "$scratch/program")"
expect 'bytes by talloc_total_size()' 1000 "$told"
expect_true "bytes held from malloc: $held" "$held >= 1000000"
finish
