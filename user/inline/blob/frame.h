/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a slow path has on the stack, for the C and the assembly of the blob: 72 bytes and the return address, so that the stack
 * is aligned where C and the original function are called. That function has its arguments in registers only.
 */
#define FRAME_ARGUMENTS 6 /* rdi, rsi, rdx, rcx, r8, r9 */
#define FRAME_BYTES	72
#define FRAME_FUNCTION	48
#define FRAME_SIZE	56
#define FRAME_THIRD	64

/* Once the original has returned, what the sites get lies where the arguments were. */
#define FRAME_BORN	    0
#define FRAME_BORN_SIZE	    8
#define FRAME_BORN_FUNCTION 16
#define FRAME_BORN_UNTOLD   24
#define FRAME_GONE	    32

/* What is to be done, as the C of an entry decides: */
#define TURN_PASS    0 /* jump to the original */
#define TURN_FREED   1 /* tell that the object, which is frame.size, is freed; then the same */
#define TURN_SAMPLED 2 /* call the original, and tell what it has returned */
#define TURN_MOVED   3 /* the same, and tell before and after that frame.third is in its hands */

#ifndef __ASSEMBLER__
#include <stddef.h>

#include "include/sampler.h"

struct frame {
	union {
		u64 argument[FRAME_ARGUMENTS];
		struct {
			u64 object; /* 0: none to tell of */
			u64 size;
			u64 function;
			u64 untold; /* 1: its end will not be told */
			u64 gone;   /* of the moved one */
		} born;
	};
	const struct sampler_function *function;
	u64 size;  /* r10 of the entry */
	u64 third; /* r11 of the entry: the slot; then of TURN_MOVED the object */
	u64 caller;
};

_Static_assert(offsetof(struct frame, function) == FRAME_FUNCTION, "as the assembly has it");
_Static_assert(offsetof(struct frame, size) == FRAME_SIZE, "as the assembly has it");
_Static_assert(offsetof(struct frame, third) == FRAME_THIRD, "as the assembly has it");
_Static_assert(offsetof(struct frame, caller) == FRAME_BYTES, "as the assembly has it");
_Static_assert(offsetof(struct frame, born.object) == FRAME_BORN, "as the assembly has it");
_Static_assert(offsetof(struct frame, born.size) == FRAME_BORN_SIZE, "as the assembly has it");
_Static_assert(offsetof(struct frame, born.function) == FRAME_BORN_FUNCTION, "as the assembly has it");
_Static_assert(offsetof(struct frame, born.untold) == FRAME_BORN_UNTOLD, "as the assembly has it");
_Static_assert(offsetof(struct frame, born.gone) == FRAME_GONE, "as the assembly has it");
#endif
