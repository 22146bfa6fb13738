/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef ALLOCATOR_H
#define ALLOCATOR_H
/*
 * The allocator families heaptap knows: which symbols they define, what each function does, and which of them need no
 * probe of their own because they always end in another one. A table, no state.
 */
#include "../include/config.h"

struct allocator_function {
	const char *symbol;
	enum call_kind kind;
	u8 arg_count; /* how many leading arguments the probe reads */
	bool passes;  /* needs no probe: always jumps to a probed function (reallocarray); only its range matters */
};

struct allocator {
	const char *name;   /* "glibc" */
	const char *marker; /* a function that files of this family define and no others; its presence decides */
	const struct allocator_function *functions;
	unsigned int function_count;
};

/* The table: *ret_count families. */
const struct allocator *allocator_table(unsigned int *ret_count);

/* The function of that name in the family, NULL when it has none. */
const struct allocator_function *allocator_find(const struct allocator *allocator, const char *symbol);

#endif
