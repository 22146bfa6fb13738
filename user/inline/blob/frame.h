/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What a slow path has on the stack, for the C and the assembly of the blob: 120 bytes and the return address, so that the stack
 * is aligned as at the entry where C and the original function are called. That function has its arguments in registers only.
 *
 * The compiler may have let the caller count on registers that the original leaves alone. So the original gets all of them, and the
 * flags, as the caller had them, and the caller gets them as the original left them.
 *
 * The frame is no larger than the red zone: once rsp is back where it was at the entry, what lies there is still safe from signals,
 * and the site can have the sample in registers before they get their contents back.
 */
#define FRAME_BYTES    120
#define FRAME_RDI      0
#define FRAME_RSI      8
#define FRAME_RDX      16
#define FRAME_RCX      24
#define FRAME_R8       32
#define FRAME_R9       40
#define FRAME_FUNCTION 48
#define FRAME_SIZE     56
#define FRAME_THIRD    64
#define FRAME_OBJECT   72
#define FRAME_TARGET   FRAME_OBJECT
#define FRAME_UNTOLD   80
#define FRAME_FLAGS    88
#define FRAME_R11      96
#define FRAME_R10      104
#define FRAME_RAX      112
#define FRAME_PUSHED   (FRAME_BYTES - FRAME_FLAGS) /* what a fast path may have made of it */

/* struct sampler_function */
#define FUNCTION_ORIGINAL 0
#define FUNCTION_FUNCTION 4
#define FUNCTION_NOTHROW  12

/* What is to be done, as the C of an entry decides: */
#define TURN_PASS    0 /* jump to the original */
#define TURN_FREED   1 /* tell that the object, which is frame.size, is freed; then the same */
#define TURN_SAMPLED 2 /* call the original, and tell what it has returned */
#define TURN_NOTHROW                                                                                                   \
	3 /* call the function's nothrow, and tell what it has returned; if that is NULL, jump to the original */
#define TURN_MOVED                                                                                                     \
	4 /* call the original, and tell before and after that frame.third is in its hands, and what it has returned */

#ifndef __ASSEMBLER__
#include <stddef.h>

#include "include/sampler.h"

struct frame {
	u64 argument
		[6]; /* rdi, rsi, rdx, rcx, r8, r9; then what the original has left there, as of the registers below */
	const struct sampler_function *function;
	u64 size; /* r10 of the entry */
	u64 third; /* r11 of the entry: the slot; of TURN_SAMPLED where posix_memalign's result goes, of TURN_MOVED the object */
	u64 object; /* which has been born, 0: none. Before that the assembly's: where it goes on */
	u64 untold; /* 1: its end will not be told */
	u64 flags;  /* as lahf and seto %al leave them in ax */
	u64 r11, r10, rax;
	u64 caller;
};

_Static_assert(offsetof(struct frame, argument[5]) == FRAME_R9, "as the assembly has it");
_Static_assert(offsetof(struct frame, function) == FRAME_FUNCTION, "as the assembly has it");
_Static_assert(offsetof(struct frame, size) == FRAME_SIZE, "as the assembly has it");
_Static_assert(offsetof(struct frame, third) == FRAME_THIRD, "as the assembly has it");
_Static_assert(offsetof(struct frame, object) == FRAME_OBJECT, "as the assembly has it");
_Static_assert(offsetof(struct frame, untold) == FRAME_UNTOLD, "as the assembly has it");
_Static_assert(offsetof(struct frame, flags) == FRAME_FLAGS, "as the assembly has it");
_Static_assert(offsetof(struct frame, rax) == FRAME_RAX, "as the assembly has it");
_Static_assert(offsetof(struct frame, caller) == FRAME_BYTES, "as the assembly has it");
_Static_assert(FRAME_PUSHED == SAMPLER_PUSHED, "as the fast path has it");
_Static_assert(offsetof(struct sampler_function, original) == FUNCTION_ORIGINAL, "as the assembly has it");
_Static_assert(offsetof(struct sampler_function, function) == FUNCTION_FUNCTION, "as the assembly has it");
_Static_assert(offsetof(struct sampler_function, nothrow) == FUNCTION_NOTHROW, "as the assembly has it");
#endif
