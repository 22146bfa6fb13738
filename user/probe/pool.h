/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef POOL_H
#define POOL_H
/*
 * A program's own pool, as the user describes it: which functions of which file hand out memory and take it back. What
 * the table of allocator.h is for allocators that heaptap knows.
 */
#include "probe/allocator.h"

#define POOL_FUNCTIONS_MAX 8

struct pool {
	char *text; /* what FILE and the names of functions point into */
	const char *file;
	struct allocator_function functions[POOL_FUNCTIONS_MAX];
	struct allocator family;
	struct pool *next;
};

/*
 * Read "FILE:get(size=1)=ret,resize(ptr=1,size=2)=ret,put(ptr=1)", the numbers being those of arguments, from 1 to 4;
 * count=N,size=M for a product. 0; -EINVAL: not so; -E2BIG: too many functions; -ENOMEM.
 */
int pool_parse(const char *text, struct pool **ret_pool);
void pool_free(struct pool *pools); /* and those behind it */

/* Does it speak of the file of that path? FILE without a slash is a name in any directory. */
bool pool_is_in(const struct pool *pool, const char *path);

#endif
