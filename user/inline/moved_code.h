/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The first instructions of a function, so that they can run elsewhere and a jump can take their place. What reads its own address
 * is changed: operands relative to rip, and direct jumps, which become near ones.
 */
#include <stddef.h>

#include "include/types.h"

#define MOVED_CODE_MAX	     128
#define MOVED_CODE_JUMP	     5 /* bytes of the jump that takes their place */
#define MOVED_CODE_TAKEN_MAX (MOVED_CODE_JUMP - 1 + 15)

struct moved_code {
	u8 bytes[MOVED_CODE_MAX]; /* the instructions, and a jump to those behind them */
	u32 size;
	u32 skip;  /* of the function, before the jump: an endbr64 stays */
	u32 taken; /* of the function, from there on: whole instructions */
};

/*
 * Move the beginning of the function `code`, all `size` bytes of which are at virtual address `from`, to `to`. NULL; or why it cannot
 * be, to follow the function's name: "begins with a call".
 */
const char *moved_code_make(const u8 *code, size_t size, u64 from, u64 to, struct moved_code *ret_moved);

/* What the function's first bytes become, from `skip` on: a jump from `from` + skip to `to`, and breakpoints behind it. False: too far. */
bool moved_code_patch(const struct moved_code *moved, u64 from, u64 to, u8 ret_patch[MOVED_CODE_TAKEN_MAX]);

/* Virtual addresses that nothing may jump to, [start, end). */
struct moved_range {
	u64 start, end;
};

/*
 * The first of the ranges that a direct near jump or call in `text`, which is at virtual address `address`, leads into; -1: none. Every
 * byte is taken for the beginning of an instruction, so that none is missed.
 */
int moved_code_find_branch(const u8 *text, size_t size, u64 address, const struct moved_range *ranges,
			   unsigned int count);
