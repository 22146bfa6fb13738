/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Where the code of a function leads: its direct jumps and calls, as Capstone decodes them. */
#include <stddef.h>

#include "include/types.h"

struct insn_branch {
	long long target; /* from the first byte of the code */
	bool always;	  /* an unconditional jump */
	bool call;
	bool first; /* an unconditional jump before which nothing happens: the function is another name of its target */
};

/*
 * Call `each` for the direct jumps and calls of `code` in order, until it returns non-zero; returns that value, 0 at
 * the end, -ENOMEM. Bytes that are no instruction are passed over.
 */
int insn_branch_for_each(const u8 *code, size_t size, int (*each)(const struct insn_branch *branch, void *arg),
			 void *arg);
