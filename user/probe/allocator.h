/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The allocator families heaptap knows: which symbols they define, what each function does, and which of them need no
 * probe of their own because they always end in another one. A table, no state.
 */
#include "include/config.h"

/* Whether a function ends in another one that has a probe, and needs none itself. */
enum passing {
	PASSING_NO,
	PASSING_BY_CODE, /* built either way: it does when its code has an unconditional jump to another function */
	PASSING_YES,	 /* as long as its code leads to a probed function (reallocarray to realloc) */
};

struct allocator_function {
	const char *symbol; /* without the family's prefix */
	enum call_kind kind;
	u8 arg[2]; /* which of the function's arguments are the kind's one and two, from 1 on; 0: the kind has none */
	enum passing passing;
};

struct allocator {
	const char *name;   /* "glibc" */
	const char *prefix; /* of every symbol, mostly ""; a family with a prefix has no C++ operators */
	const char
		*markers[2]; /* functions that all files of this family define, and no others; the second may be NULL */
	const struct allocator_function *functions;
	unsigned int function_count;
	bool owns_gaps; /* code of a file of this family that lies in no named function is the allocator's too */
};

#define ALLOCATOR_NAMES	       "glibc, musl, jemalloc, tcmalloc and mimalloc" /* for messages: what the table has */
#define ALLOCATOR_FAMILIES_MAX 32					      /* so that a word has a bit for each */

/* The table: *ret_count families. */
const struct allocator *allocator_table(unsigned int *ret_count);

/* Which of a family's markers the symbol is: 1, 2, or 0 for none. */
unsigned int allocator_marker(const struct allocator *allocator, const char *symbol);

/* The function of that name in the family, NULL when it has none. */
const struct allocator_function *allocator_find(const struct allocator *allocator, const char *symbol);

/* Its arguments that matter, one bit each, the lowest the first. */
unsigned int allocator_arguments(const struct allocator_function *function);
