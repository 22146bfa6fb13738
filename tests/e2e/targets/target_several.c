/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Four allocators in one process: glibc's; in the program itself one that has jemalloc's functions under the prefix
 * that Rust's binding gives them, and a pool that heaptap does not know; and mimalloc, opened while it is traced. Each object is
 * given back to the allocator it came from; its size says which, and is larger by the bytes of the argument, if there is one. For
 * test_several and test_inline_company.
 */
#include <dlfcn.h>
#include <stdlib.h>

#include "target.h"

#define OBJECTS 20

static char room[16 << 20];
static size_t used, more;
static void *volatile sink;

/* Only to be known by. */
__attribute__((noinline)) int _rjem_mallctl(void)
{
	return 0;
}

__attribute__((noinline)) void *_rjem_mallocx(size_t size, int flags)
{
	void *addr = room + used + (size_t)flags;

	used += (size + 15) / 16 * 16;
	return addr;
}

/* As jemalloc's own do, it has its body to itself; this is a body like any other. */
__attribute__((noinline)) void *_rjem_malloc(size_t size)
{
	used += (size + 15) / 16 * 16;
	return room + used - (size + 15) / 16 * 16;
}

__attribute__((noinline)) void _rjem_sdallocx(void *addr, size_t size, int flags)
{
	sink = (char *)addr + size + (size_t)flags;
}

struct custom_allocator {
	int objects;
};

__attribute__((noinline)) void *pool_get(struct custom_allocator *pool, size_t size)
{
	pool->objects++;
	used += (size + 15) / 16 * 16;
	return room + used - (size + 15) / 16 * 16;
}

__attribute__((noinline)) void pool_put(struct custom_allocator *pool, void *addr)
{
	pool->objects--;
	sink = addr;
}

static struct custom_allocator own;

static void *own_allocate(size_t size)
{
	return pool_get(&own, size);
}

static void own_release(void *addr)
{
	pool_put(&own, addr);
}

static void use(void *(*allocate)(size_t), void (*release)(void *), size_t size)
{
	for (int i = 0; i < OBJECTS; i++) {
		void *addr = allocate(size + more);

		sink = addr;
		if (i % 4)
			release(addr);
	}
}

static void *rust_allocate(size_t size)
{
	return size % 2 ? _rjem_mallocx(size, 0) : _rjem_malloc(size);
}

static void rust_release(void *addr)
{
	_rjem_sdallocx(addr, 0, 0);
}

int main(int argc, char **argv)
{
	void *(*allocate)(size_t);
	void (*release)(void *);
	void *library;

	more = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	target_await();
	library = dlopen("libmimalloc.so", RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return 1;
	*(void **)&allocate = dlsym(library, "mi_malloc");
	*(void **)&release = dlsym(library, "mi_free");
	target_await();
	use(allocate, release, 7001);
	use(malloc, free, 7003);
	use(rust_allocate, rust_release, 7005);
	use(rust_allocate, rust_release, 7006);
	use(own_allocate, own_release, 7007);
	return 0;
}
