/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Direct branches that lead into bytes which are to be overwritten, from anywhere in a file's code. */
#include <stddef.h>

#include "include/types.h"

/* Virtual addresses that nothing may lead to, [start, end). */
struct branch_range {
	u64 start, end;
};

/*
 * The first of the ranges that a near jump or call in `text`, which is at virtual address `address`, leads into; -1: none. Every byte
 * is taken for the beginning of an instruction, so that none is missed; that other bytes look like one that leads there is rare.
 */
int incoming_branch_near(const u8 *text, size_t size, u64 address, const struct branch_range *ranges,
			 unsigned int count);

/* How far in front of a range its short branches have to be looked for, and how far behind it. */
#define INCOMING_BRANCH_BEFORE 256
#define INCOMING_BRANCH_BEHIND 160

/*
 * Does a short jump in `text` lead into the range? `text` is what there is of the code from INCOMING_BRANCH_BEFORE bytes in front of the
 * range to INCOMING_BRANCH_BEHIND behind it, at virtual address `address`. A byte in twelve looks like a short jump, so
 * instructions count that are reached from one of the first 15 bytes: as none is longer, one of those begins a real one, and the
 * others soon fall into step with it. 1, 0, or -ENOMEM.
 */
int incoming_branch_short(const u8 *text, size_t size, u64 address, const struct branch_range *range);
