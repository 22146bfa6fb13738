/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Which of a function's own arguments it hands on in one of its calls, by its code: each way through it is followed, with
 * what registers and the words of its frame hold. A function's arguments are its first six, as x86-64 passes them.
 */
#include "probe/code.h"

#define FLOW_ARGUMENTS 6

struct argument_flow {
	struct code_place callee; /* where the call leads; empty: through a pointer */
	/*
	 * For each argument of the call: the function's own ones, as bits, that it is made of by copying, adding constants and
	 * one another, multiplying them, or cutting bits off. 0: something else is in it too.
	 */
	u8 from[FLOW_ARGUMENTS];
	u8 one; /* those that are the constant 1, as bits */
	/*
	 * The function's result is that of the call, or what the call put where its first argument points, maybe some bytes on; and
	 * it has put that nowhere else.
	 */
	bool hands_back;
};

/*
 * Follow the function that begins at file offset `start` to its call behind which `back` comes; `back` 0: to a jump by which
 * it ends in another file's function, or in one that `ends` (NULL: none) takes for an end. False: no way leads there, or the
 * function has more than FLOW_STEPS_MAX instructions.
 */
#define FLOW_STEPS_MAX 400
bool argument_flow_find(struct code *code, u64 start, u64 back, bool (*ends)(const char *name),
			struct argument_flow *ret_flow);
