/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What is kept of a stack that is deeper than STACK_DEPTH_MAX: the frames at its leaf, and those at its root, with STACK_LEFT_OUT in
 * place of what was between them. Two stacks that differ only there are the same.
 *
 * How far it is to the root is not known before the walk gets there. So from STACK_LEAF_MAX on the frames go round in
 * STACK_ROOT_MAX places, and at the end these hold the last ones, which stack_cut() puts in order. Where a stack has no more than
 * STACK_DEPTH_MAX frames, each is in its place at once.
 */
#include "event.h"
#include "unwind.h"

#define STACK_ROOT_MAX 16
#define STACK_LEAF_MAX (STACK_DEPTH_MAX - STACK_ROOT_MAX)
#define STACK_LEFT_OUT (~0ULL) /* no address */

/* A walk ends here, root or not. What is looked at beyond STACK_DEPTH_MAX costs its time, and no place. */
#define STACK_WALK_MAX 1024

_Static_assert(!(STACK_LEAF_MAX % STACK_ROOT_MAX), "frames below STACK_DEPTH_MAX go to their own places");

/* Where a frame goes, counted from the leaf, 0. */
static inline __attribute__((always_inline)) u32 stack_place(u32 frame)
{
	return frame < STACK_LEAF_MAX ? frame : STACK_LEAF_MAX + frame % STACK_ROOT_MAX;
}

/*
 * Cut a stack of more than STACK_DEPTH_MAX frames, whose walk ended so. If that was not at the root, nothing says which frames to show
 * beside those at the leaf. `spare`: STACK_ROOT_MAX words to write to. Returns how the stack ends then.
 */
static inline __attribute__((always_inline)) enum unwind_end stack_cut(u64 *ip, u32 *depth, enum unwind_end end,
								       u64 *spare)
{
	u64 *root = ip + STACK_LEAF_MAX;

	for (u32 i = 0; i < STACK_ROOT_MAX; i++)
		spare[i] = root[(*depth + i) % STACK_ROOT_MAX];
	for (u32 i = 1; i < STACK_ROOT_MAX; i++)
		root[i] = spare[i];
	root[0] = STACK_LEFT_OUT;
	*depth = end == UNWIND_COMPLETE ? STACK_DEPTH_MAX : STACK_LEAF_MAX + 1;
	if (end == UNWIND_COMPLETE)
		return UNWIND_TRUNCATED;
	return end == UNWIND_GOES_ON ? UNWIND_TOO_DEEP : end;
}
