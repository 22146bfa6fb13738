/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The name that the programs give to a stack. It is made of the frames, the process number, and the generation of the
 * mapping list that the stack was walked by (see struct scope), so frames and name together say which list it was.
 *
 * 63 bits: two stacks of a million collide with probability 6e-8 (birthday bound). Never 0; bit 63 is that of raw
 * stacks (RAW_STACK_ID).
 */
#include "types.h"

static inline u64 stackhash_seed(u32 process, u32 generation)
{
	return process | (u64)generation << 32;
}

static inline u64 stackhash(const u64 *ip, u32 depth, u64 seed)
{
	u64 hash = seed + 0x9e3779b97f4a7c15ULL;

	for (u32 i = 0; i < depth; i++) {
		hash = (hash ^ ip[i]) * 0xff51afd7ed558ccdULL;
		hash ^= hash >> 32;
	}
	hash &= ~(1ULL << 63);
	return hash ? hash : 1;
}
