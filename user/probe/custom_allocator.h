/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The argument of --alloc: a program's own allocator, as the user describes it. It names the functions of a file that hand
 * out memory and take it back, as the table of allocator.h does for the allocators that heaptap knows.
 */
#include "probe/allocator.h"

#define CUSTOM_FUNCTIONS_MAX 8

struct custom_allocator {
	char *text; /* holds the file and the names of functions */
	const char *file;
	struct allocator_function functions[CUSTOM_FUNCTIONS_MAX];
	struct allocator family;
	struct custom_allocator *next;
};

/*
 * Read "FILE:get(size=1)=ret,resize(ptr=1,size=2)=ret,put(ptr=1)", where numbers are those of arguments, from 1 to 4;
 * count=N,size=M for a product. 0; -EINVAL: not of that form; -E2BIG: too many functions; -ENOMEM.
 */
int custom_allocator_parse(const char *text, struct custom_allocator **ret_pool);
void custom_allocator_free(struct custom_allocator *pools); /* and those linked behind it */

/* Is it about the file at that path? FILE without a slash is a name in any directory. */
bool custom_allocator_is_in(const struct custom_allocator *pool, const char *path);
