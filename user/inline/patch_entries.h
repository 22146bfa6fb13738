/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Who else may enter a function where its bytes are to be overwritten: branches in the file's code, and other files by a symbol. */
#include "inline/incoming_branch.h"
#include "inline/patches.h"

struct patch_surroundings {
	struct elf *elf;
	const struct program_headers *headers; /* of that file */
	const struct patches *patches;
	const struct branch_range *taken; /* what is overwritten, but for a function's first byte */
	const u32 *taken_by;		  /* number of the function, for each of those */
	u32 taken_count;
};

/*
 * *ret_number: of the first function found that may be entered so, or -1. 0; -E2BIG: the headers have more code than any file that runs,
 * and none of it was searched; -ENOMEM, or an error of reading.
 */
int patch_entries_find(const struct patch_surroundings *surroundings, int *ret_number);
