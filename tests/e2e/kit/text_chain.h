/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The stacks of one kind of object in a text profile, compared with the expected ones. */
#include <stdint.h>

/* Objects by what their stacks, innermost function first, have in common with what they should be. */
struct text_verdict {
	uint64_t right, cut, wrong;
};

/*
 * Objects of `size` bytes in the text profile `path`: `chain` is what their stacks should begin with, NULL-terminated;
 * "" in it stands for a function that has no name. Fails the running test when the file cannot be read.
 */
struct text_verdict text_chain_judge(const char *path, uint64_t size, const char *const *chain);
