/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The fast path of one allocation function: what it does more at every call. An allocation subtracts its size from a count; a free, and
 * a realloc before that, looks whether the filter knows of an object there. Both go on in the function at once, unless there is a
 * sample: then through the slow paths of the sampler (include/sampler.h). It changes rax, r10, r11 and the flags, which no caller
 * counts on, and not the stack.
 */
#include "include/config.h"
#include "include/sampler.h"
#include "inline/moved_code.h"

#define FAST_PATH_MAX	    512
#define FAST_PATH_ARGUMENTS 3

struct fast_path_function {
	enum call_kind kind;
	u8 argument
		[FAST_PATH_ARGUMENTS]; /* which of the function's arguments, from 1 on, the kind's are; 0: it has none */
	const u8 *code;		       /* the whole function */
	size_t size;
	u64 address; /* virtual, of the function */
	enum moved_code_jump jump;
	u64 nothrow; /* likewise, of the one that is called for a sample in its place; 0: it is called itself */
	bool keeps;  /* all registers and flags */
};

/* Virtual addresses of the sampler's parts. */
struct fast_path_sampler {
	u64 entries[SAMPLER_ENTRIES], kept_entries[SAMPLER_ENTRIES];
	u64 slots, filter;
};

/* From that virtual address on the stack is so many bytes lower than at the function's entry. */
struct fast_path_depth {
	u64 address;
	u8 bytes;
};

#define FAST_PATH_DEPTHS 9

struct fast_path {
	u8 bytes[FAST_PATH_MAX]; /* struct sampler_function first, then code */
	u32 size;
	u64 entry;    /* virtual address to jump to */
	u64 original; /* likewise, of the function's own instructions */
	struct moved_code moved;
	struct fast_path_depth
		depths[FAST_PATH_DEPTHS]; /* ascending; but for the moved instructions, which push as they like */
	u32 depth_count;
};

/* For virtual address `at`, a multiple of 16. NULL, or why there can be none, to follow the function's name. */
const char *fast_path_make(const struct fast_path_function *function, const struct fast_path_sampler *sampler, u64 at,
			   struct fast_path *ret_path);
