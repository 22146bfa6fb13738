/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * jemalloc's own names on top of whatever malloc a program finds first: for a program built with jemalloc that is to run on libc's
 * allocator, and gives to free() what it has asked jemalloc for by these. Redis does from version 8 on, for Lua. It asks for no
 * alignment beyond malloc's and for no zeros.
 */
#include <stdlib.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT void *mallocx(size_t size, int flags)
{
	(void)flags;
	return malloc(size);
}

EXPORT void *rallocx(void *old, size_t size, int flags)
{
	(void)flags;
	return realloc(old, size);
}

EXPORT void dallocx(void *old, int flags)
{
	(void)flags;
	free(old);
}

EXPORT size_t nallocx(size_t size, int flags)
{
	(void)flags;
	return size;
}
