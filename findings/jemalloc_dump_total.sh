#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# jemalloc 5.3: the total in the first lines of a heap dump is not the sum of the dump's records.
#
# Expected: the first `t*:` line has the sum of the records under it; with opt.prof_unbias off it does.
# Seen: with prof_unbias, which is on by default, the bytes of the total are an order of magnitude below those of one single
# record. Each record is corrected by its own mean size, but the total by the mean size of all objects together, which
# says nothing where sizes are mixed.
# For a profiler: a reader of heap_v2 must add the records up. A monitor that only reads the head of the file reports a tenth.
. "$(dirname "$0")/packages.bash"

fetch bookworm libjemalloc2=5.3.0-1
build <<'C'
#include <stdlib.h>

#define BLOCKS 20000

/* Many small blocks and a large one. */
int main(void)
{
	void **blocks = malloc(BLOCKS * sizeof(*blocks));

	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(64);
	return 0;
}
C

dump() { # UNBIAS: total, sum of the records, largest record, in bytes
	MALLOC_CONF=prof:true,lg_prof_sample:12,prof_unbias:$1,prof_final:true,prof_prefix:$scratch/$1 \
		LD_PRELOAD=$libraries/libjemalloc.so.2 "$scratch/program"
	awk '/^@/ { record = 1 } /^MAPPED/ { exit }
		$1 == "t*:" { if (!record) total += $3; else { sum += $3; if ($3 > largest) largest = $3 } }
		END { print total + 0, sum + 0, largest + 0 }' "$scratch/$1".*.heap
}

read -r total sum largest <<<"$(dump false)"
expect_true "prof_unbias:false: total $total, records $sum" "$total == $sum"
read -r total sum largest <<<"$(dump true)"
expect_true "prof_unbias:true: total $total, records $sum, the largest of them $largest" "$largest > 3 * $total"
finish
