/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The helpers of Go's test of its own memory profiler, with their names, numbers and lives, in C: transient blocks are
 * freed when the sink takes the next one, the last of them where Go runs its collector; persistent ones stay in a list.
 * Runs the test as often as its argument says, and waits before each run and after the last. Comments that begin with
 * an @ mark the lines that test_memory_profiler expects.
 */
#include <ffi.h>
#include <stdlib.h>

#include "target.h"

/* A function of its own in every build: gcc folds those whose bodies are equal. */
#ifdef __clang__
#define APART __attribute__((noinline))
#else
#define APART __attribute__((noinline, no_icf))
#endif

struct block_1k {
	char bytes[1024];
};

struct obj32 {
	struct obj32 *link;
	char pad[24];
};

_Static_assert(sizeof(struct obj32) == 32, "as large as in Go");

static int memory_profiler_run;
static void *volatile mem_sink;
static struct obj32 *volatile persistent_mem_sink;

static void sink(void *block)
{
	free(mem_sink);
	mem_sink = block;
}

APART static void allocate_transient_1m(void)
{
	for (int i = 0; i < 1024; i++)
		sink(malloc(sizeof(struct block_1k))); /* @transient_1m */
}

APART static void allocate_transient_2m(void)
{
	sink(malloc(2 << 20)); /* @transient_2m */
}

__attribute__((always_inline)) static inline void allocate_transient_2m_inline(void)
{
	sink(malloc(2 << 20)); /* @transient_2m_inline */
}

APART static void allocate_persistent_1k(void)
{
	for (int i = 0; i < 32; i++) {
		struct obj32 *obj = malloc(sizeof(*obj)); /* @persistent_1k */

		obj->link = persistent_mem_sink;
		persistent_mem_sink = obj;
	}
}

APART static void allocate_reflect_transient(void)
{
	sink(malloc(2 << 20)); /* @reflect_transient */
}

/* Called by a library that knows the function's type and address only when it runs, as Go's reflection does. */
APART static void allocate_reflect(void)
{
	ffi_cif cif;

	if (ffi_prep_cif(&cif, FFI_DEFAULT_ABI, 0, &ffi_type_void, NULL) != FFI_OK)
		abort();
	ffi_call(&cif, FFI_FN(allocate_reflect_transient), NULL, NULL); /* @reflect */
}

APART static void allocate_pointer(void)
{
	void (*volatile allocate)(void) = allocate_reflect_transient;

	allocate(); /* @pointer */
}

/* Blocks of two sizes on one line, which two stacks lead to. */
APART static void allocate_mixed(size_t size)
{
	sink(malloc(size)); /* @mixed */
}

APART static void test_memory_profiler(void)
{
	allocate_transient_1m();	/* @call_transient_1m */
	allocate_transient_2m();	/* @call_transient_2m */
	allocate_transient_2m_inline(); /* @call_transient_2m_inline */
	allocate_persistent_1k();	/* @call_persistent_1k */
	allocate_reflect();		/* @call_reflect */
	allocate_pointer();		/* @call_pointer */
	for (int i = 0; i < 24; i++)
		allocate_mixed(i % 3 ? 48 : 96); /* @call_mixed_24 */
	for (int i = 0; i < 4; i++)
		allocate_mixed(48); /* @call_mixed_4 */
	sink(NULL);
	memory_profiler_run++;
}

int main(int argc, char **argv)
{
	int runs = argc > 1 ? atoi(argv[1]) : 1;

	while (memory_profiler_run < runs) {
		target_await();
		test_memory_profiler(); /* @run */
	}
	target_await();
	return 0;
}
