/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shim in front of musl, which has no second names for its functions and where some of them call others by names
 * that this library takes over. So each call is passed on to one of the four that do not: a calloc is a malloc there,
 * and whatever has an alignment an aligned_alloc.
 */
#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

static void *musl_malloc(size_t size);
static void *musl_calloc(size_t count, size_t size);
static void *musl_realloc(void *old, size_t size);
static void *musl_memalign(size_t alignment, size_t size);
static void *musl_valloc(size_t size);
static void musl_free(void *old);

#define SHIM_MUSL
#define __libc_malloc	musl_malloc
#define __libc_calloc	musl_calloc
#define __libc_realloc	musl_realloc
#define __libc_memalign musl_memalign
#define __libc_valloc	musl_valloc
#define __libc_pvalloc	musl_valloc
#define __libc_free	musl_free

#include "shim.c"

/* musl's dlsym allocates nothing when it finds the name. */
static void *next(void **function, const char *name)
{
	if (!*function)
		*function = dlsym(RTLD_NEXT, name);
	return *function;
}

static void *musl_malloc(size_t size)
{
	static void *function;

	return ((void *(*)(size_t))next(&function, "malloc"))(size);
}

static void *musl_calloc(size_t count, size_t size)
{
	size_t bytes = product(count, size);
	void *addr = count && size && !bytes ? NULL : musl_malloc(bytes);

	return addr ? memset(addr, 0, bytes) : NULL;
}

static void *musl_realloc(void *old, size_t size)
{
	static void *function;

	return ((void *(*)(void *, size_t))next(&function, "realloc"))(old, size);
}

static void *musl_memalign(size_t alignment, size_t size)
{
	static void *function;

	return ((void *(*)(size_t, size_t))next(&function, "aligned_alloc"))(alignment, size);
}

static void *musl_valloc(size_t size)
{
	return musl_memalign(4096, size);
}

static void musl_free(void *old)
{
	static void *function;

	((void (*)(void *))next(&function, "free"))(old);
}
