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
#define MOVED_CODE_SHORT     2 /* likewise, of one that leads to a landing (inline/landing.h) */
#define MOVED_CODE_TAKEN_MAX (MOVED_CODE_JUMP - 1 + 15)

#define MOVED_CODE_UNDO_MAX 10

/* Bytes from moved_code_first_taken to the end of what is taken: an instruction that stays may be among them. */
#define MOVED_CODE_RANGE_MAX (15 + MOVED_CODE_TAKEN_MAX)

struct moved_code {
	u8 bytes[MOVED_CODE_MAX]; /* the instructions, and a jump to those behind them */
	u32 size;
	u32 skip;	  /* of the function, before the jump: what stays */
	u32 taken;	  /* of the function, from there on: whole instructions */
	u32 behind_first; /* if something is undone: from there on nothing else may jump to what stays */
	/* Where each of them begins, in bytes behind the function's start and in `bytes`; the last one is the jump back. */
	struct moved_place {
		u8 from, to;
	} places[MOVED_CODE_JUMP + 1];
	u32 place_count;
	bool relayed;
	bool undoes; /* the first instruction has been run when the jump is met, and is run again here */
	u8 undo[MOVED_CODE_UNDO_MAX]; /* to be run before anything else: what takes its effect back */
	u8 undo_size;
};

/*
 * Where the jump goes. In a process that runs, the first instruction may have a breakpoint of somebody's, in whose place the kernel
 * executes what the file has there, and goes on behind it; so it stays if it is shorter than the jump. It is run once more at the other
 * place, after `undo`. An endbr64 in front of it stays as well.
 *
 * Where that would cover a breakpoint's place, a second one may stay. Where five bytes are too many, two may do: a short jump to a landing, from where a near one leads on. It takes the place of one
 * instruction, so that no thread can stand, and no breakpoint be, within it. Past NULL: in a function that ends objects, behind
 * the test of the pointer too, for which nothing has to be done.
 */
enum moved_code_jump {
	MOVED_CODE_FIRST,
	MOVED_CODE_SECOND,
	MOVED_CODE_THIRD, /* behind a push that follows the first instruction */
	MOVED_CODE_RELAYED_PAST_NULL,
	MOVED_CODE_RELAYED,
};

/*
 * Move the beginning of the function `code`, all `size` bytes of which are at virtual address `from`, to `to`. NULL; or why it cannot
 * be, to follow the function's name: "begins with a call".
 */
const char *moved_code_make(const u8 *code, size_t size, u64 from, u64 to, enum moved_code_jump jump,
			    struct moved_code *ret_moved);

/*
 * May somebody set a breakpoint at that instruction while the jump is there? Not if what the file has there ends within the
 * jump.
 */
bool moved_code_bears_breakpoint(const struct moved_code *moved, u32 offset);

/* The first byte, from the function's, that nothing else may jump to. The jump itself may be, unless it undoes something. */
u32 moved_code_first_taken(const struct moved_code *moved);

/* What the function's first bytes become, from `skip` on: a jump from `from` + skip to `to`, and breakpoints behind it. False: too far. */
bool moved_code_patch(const struct moved_code *moved, u64 from, u64 to, u8 ret_patch[MOVED_CODE_TAKEN_MAX]);

/* Likewise, where they are moved for a landing, `landing` bytes behind the function's first. */
void moved_code_patch_short(const struct moved_code *moved, u32 landing, u8 ret_patch[MOVED_CODE_SHORT]);
