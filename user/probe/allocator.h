/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The allocator families heaptap knows: which symbols they define, what each function does, and which of them need no
 * probe of their own because they always end in another one. A table, no state.
 */
#include "include/config.h"

#define ALLOCATOR_ARGS_MAX 3

/* Whether a function ends in another one of the file, and needs no probe itself. Its code decides (route.h). */
enum passing {
	PASSING_NO,
	PASSING_BY_JUMP, /* it does when all ways through it end in jumps */
	PASSING_BY_CODE, /* it does when they end in jumps or calls */
};

struct allocator_function {
	const char *symbol; /* without the family's prefix */
	enum call_kind kind;
	u8 arg[ALLOCATOR_ARGS_MAX]; /* which of the function's arguments are the kind's one, two and three, from 1 on; 0: the kind
					has none */
	enum passing passing;
	const char *
		nothrow; /* of one that may throw: the one of the family that takes the same arguments and returns NULL instead, if there is one */
};

struct allocator {
	const char *name;   /* "glibc" */
	const char *prefix; /* of every symbol, mostly ""; a family with a prefix has no C++ operators */
	const char
		*markers[2]; /* functions that all files of this family define, and no others; the second may be NULL */
	const struct allocator_function *functions;
	unsigned int function_count;
	bool replaces; /* it takes malloc's place in a program: its file may have any function of a standard name */
	bool nests;    /* its functions call one another from other code of the file */
	bool small; /* it serves small blocks, and takes what is larger from another file's (pymalloc.h, which says where its functions are) */
};

#define ALLOCATOR_NAMES	       "glibc, musl, jemalloc, tcmalloc, mimalloc, mozjemalloc and CPython's" /* for messages */
#define ALLOCATOR_OTHERS       ", and any other malloc by its name, which a stripped program has none of"
#define ALLOCATOR_FAMILIES_MAX 32 /* so that a word has a bit for each */

/* The table: *ret_count families. */
const struct allocator *allocator_table(unsigned int *ret_count);

/*
 * The functions that C, POSIX and C++ know, under their standard names: what an allocator of no known family has, and one of
 * a family that replaces malloc may have besides.
 */
const struct allocator *allocator_standard(void);

/* Which of a family's markers the symbol is: 1, 2, or 0 for none. */
unsigned int allocator_marker(const struct allocator *allocator, const char *symbol);

/* The function of that name in the family, NULL when it has none. */
const struct allocator_function *allocator_find(const struct allocator *allocator, const char *symbol);

/* Its arguments that matter, one bit each, the lowest the first. */
unsigned int allocator_arguments(const struct allocator_function *function);
