/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The argument of --alloc: a program's own allocator, as the user describes it. It names the functions of a file that hand
 * out memory and take it back, as the table of allocator.h does for the allocators that heaptap knows. Without functions it
 * says that the file has an allocator, whose functions have the standard names.
 */
#include <sys/types.h>

#include "probe/allocator.h"

#define CUSTOM_FUNCTIONS_MAX 8

struct elf;
struct elf_dynamic;

struct custom_allocator {
	char *text; /* holds the file and the names of functions */
	const char *file;
	char *real_path; /* where the file's name leads from here; NULL: nowhere, or it is no path */
	struct allocator_function functions[CUSTOM_FUNCTIONS_MAX];
	struct allocator family;
	bool seen;			  /* a file of that name has been opened */
	bool found[CUSTOM_FUNCTIONS_MAX]; /* and has the function */
	struct custom_allocator *next;
};

/*
 * Read "FILE:get(size=1)=ret,resize(ptr=1,size=2)=ret,put(ptr=1)", where numbers are those of arguments, from 1 to 4;
 * count=N,size=M for a product; or FILE alone. 0; -EINVAL: not of that form; -E2BIG: too many functions; -ENOMEM.
 */
int custom_allocator_parse(const char *text, struct custom_allocator **ret_pool);
void custom_allocator_free(struct custom_allocator *pools); /* and those linked behind it */

/*
 * Is that the file? FILE may be its path, or a path that leads there, or a name without a slash: the file's own, or the one
 * that it has as a library. `dynamic` may be NULL.
 */
bool custom_allocator_is_in(const struct custom_allocator *pool, const struct elf *elf,
			    const struct elf_dynamic *dynamic);
