/* SPDX-License-Identifier: GPL-2.0-or-later */
/* glibc_heap.c on the memory of this process, which glibc serves, and on memory that only looks like its own. */
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "profile/glibc_heap.h"

/* glibc's own, also where a sanitizer has taken the place of malloc. */
extern void *__libc_malloc(size_t size);
extern void __libc_free(void *block);

#define HEAP (64UL << 20)
#define PAGE 4096UL

static bool copy(void *arg, u64 address, void *to, u64 size)
{
	(void)arg;
	memcpy(to, (const void *)(uintptr_t)address, size);
	return true;
}

static bool refuse(void *arg, u64 address, void *to, u64 size)
{
	(void)arg, (void)address, (void)to, (void)size;
	return false;
}

static struct smaps_area area_at(const void *start, u64 size)
{
	return (struct smaps_area){
		.start = (uintptr_t)start, .end = (uintptr_t)start + size, .readable = true, .writable = true};
}

static void *allocate(void *arg)
{
	(void)arg;
	return __libc_malloc(1000);
}

static void test_glibc_heap_of_a_threads_arena_is_known(void **state)
{
	struct smaps_area area;
	pthread_t thread;
	void *first = __libc_malloc(1), *block;
	u64 start;

	(void)state;
	/* The first thread that allocates has the main arena; more than this one, so that the other thread gets one of its own. */
	mallopt(M_ARENA_MAX, 8);
	assert_int_equal(pthread_create(&thread, NULL, allocate, NULL), 0);
	pthread_join(thread, &block);
	start = (uintptr_t)block & ~(HEAP - 1);
	assert_true(start != ((uintptr_t)first & ~(HEAP - 1)));
	area = area_at((void *)start, ((u64 *)start)[3]);
	assert_true(glibc_heap_is(&area, copy, NULL));
	assert_false(glibc_heap_is(&area, refuse, NULL));
	area.end -= PAGE; /* less than the heap says that it has */
	assert_false(glibc_heap_is(&area, copy, NULL));
}

static void test_glibc_heap_of_a_large_block_is_known(void **state)
{
	char *volatile block = __libc_malloc(8 << 20); /* the compiler knows no bytes in front of it */
	u64 *chunk = (u64 *)((uintptr_t)block - 16);
	struct smaps_area area = area_at(chunk, chunk[1] & ~7ULL);

	(void)state;
	assert_int_equal((uintptr_t)chunk % PAGE, 0);
	assert_true(glibc_heap_is(&area, copy, NULL));
	area.shared = true;
	assert_false(glibc_heap_is(&area, copy, NULL));
	__libc_free(block);
}

static void test_glibc_heap_blocks_that_became_one_mapping_are_followed_to_its_end(void **state)
{
	u64 *memory = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct smaps_area area = area_at(memory, 4 * PAGE);

	(void)state;
	assert_true(memory != MAP_FAILED);
	assert_false(glibc_heap_is(&area, copy, NULL));
	memory[1] = PAGE | 2;
	memory[PAGE / 8 + 1] = 3 * PAGE | 2;
	assert_true(glibc_heap_is(&area, copy, NULL));
	memory[PAGE / 8 + 1] = 4 * PAGE | 2; /* beyond the end */
	assert_false(glibc_heap_is(&area, copy, NULL));
	memory[PAGE / 8 + 1] = 2 * PAGE | 2; /* nothing behind it */
	assert_false(glibc_heap_is(&area, copy, NULL));
	memory[PAGE / 8 + 1] = 3 * PAGE | 3;
	assert_false(glibc_heap_is(&area, copy, NULL));
	munmap(memory, 8 * PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_glibc_heap_of_a_threads_arena_is_known),
		cmocka_unit_test(test_glibc_heap_of_a_large_block_is_known),
		cmocka_unit_test(test_glibc_heap_blocks_that_became_one_mapping_are_followed_to_its_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
