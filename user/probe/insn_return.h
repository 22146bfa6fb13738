/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* By which instructions a piece of code returns to its caller, and where else it goes, as Capstone decodes it. */
#include <stddef.h>

#include "include/types.h"

#define INSN_RETURNS_MAX 32
#define INSN_LEAVES_MAX	 32

struct insn_returns {
	u64 at[INSN_RETURNS_MAX]; /* offsets of ret instructions */
	unsigned int count;
	long long leaves[INSN_LEAVES_MAX]; /* targets, from the first byte on, of jumps that lead out of the code */
	unsigned int leave_count;
	const char *unseen; /* why there may be other ways out of it; NULL: there is none */
};

/*
 * Decode all of `code`. A jump through a pointer is one within the code if it is a compiler's jump through a table of a
 * switch: through an indexed table, by a sum that was made just before, or with `notrack`. 0 or -ENOMEM.
 */
int insn_return_scan(const u8 *code, size_t size, struct insn_returns *ret_returns);
