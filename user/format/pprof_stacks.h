/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A part of a profile as profile stores take it: sums by stack, of some measures, with only those mappings and locations that the stacks
 * lead through, and without labels and heaptap's own fields. See docs/formats.md for the file.
 */
#include <stdio.h>

#include "profile/stack_sums.h"

struct pprof_stacks {
	const struct profile *profile; /* its places and names, and the interval */
	const char *exe;	       /* path of the main program; NULL: unknown */
	const struct stack_sum *rows;
	u32 count;
	enum measure first, end;       /* which measures: from `first` up to but not `end` */
	u64 time_unix_ns, duration_ns; /* when it began; duration 0: it is of a moment */
};

/* Flushed; *ret_unpacked: how many bytes it has before gzip. 0 or negative errno. */
int pprof_stacks_write(const struct pprof_stacks *stacks, FILE *out, u64 *ret_unpacked);
