/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every allocation function of glibc at its edges, by every way a call can reach it, from the main thread and from
 * others. What it leaves alive differs in size from line to line, so that a wrong pairing shows. Run under the shim by
 * test_exact and test_rungs.
 */
#include <dlfcn.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define THREADS 4

static void *volatile sink;
static volatile size_t huge = (size_t)PTRDIFF_MAX + 1;
static volatile size_t whole = SIZE_MAX, half = SIZE_MAX / 2;
static volatile size_t zero;

static void keep(void *addr)
{
	sink = addr;
}

static void use_malloc(void)
{
	keep(malloc(zero));
	free(malloc(zero));
	keep(malloc(1));
	keep(malloc(24));
	keep(malloc(25));
	free(malloc(4096));
	keep(malloc(1 << 17));
	free(malloc(1 << 20));
	keep(malloc((size_t)1 << 30));
	keep(malloc(huge));
	keep(malloc(whole));
	free(NULL);
}

static void use_calloc(void)
{
	keep(calloc(zero, 8));
	keep(calloc(8, zero));
	keep(calloc(7, 11));
	free(calloc(1000, 1000));
	keep(calloc(half, 4));
	keep(calloc(huge, huge));
	keep(calloc(huge, 1));
}

static void use_realloc(void)
{
	void *block = realloc(NULL, 100), *fence;

	block = realloc(block, 50);
	block = realloc(block, 104);
	fence = malloc(33);
	block = realloc(block, 5000);
	block = realloc(block, 300000);
	block = realloc(block, 3000000);
	block = realloc(block, 200000);
	block = realloc(block, 64);
	keep(realloc(block, huge));
	keep(realloc(block, whole));
	keep(realloc(block, 65));
	free(fence);
	keep(realloc(NULL, zero));
	keep(realloc(malloc(77), zero));
	keep(realloc(NULL, huge));
	free(realloc(malloc(10), 20));
}

static void use_reallocarray(void)
{
	void *block = reallocarray(NULL, 10, 13);

	block = reallocarray(block, 100, 13);
	keep(reallocarray(block, half, 3));
	keep(reallocarray(block, huge, 1));
	keep(reallocarray(block, 3, 13));
	keep(reallocarray(NULL, zero, 13));
	keep(reallocarray(malloc(40), 5, zero));
	keep(reallocarray(NULL, whole, whole));
	free(reallocarray(NULL, 3, 7));
}

/* glibc hands an alignment that malloc gives anyway to malloc itself: 15, 16 and 17 are the two sides of that border.
 */
static void use_alignment(size_t alignment)
{
	void *addr = NULL;

	keep(memalign(alignment, 201));
	free(memalign(alignment, 202));
	keep(memalign(alignment, zero));
	keep(memalign(alignment, huge));
	keep(aligned_alloc(alignment, 203));
	free(aligned_alloc(alignment, 204));
	keep(aligned_alloc(alignment, zero));
	keep(aligned_alloc(alignment, huge));
	if (!posix_memalign(&addr, alignment, 205))
		keep(addr);
	if (!posix_memalign(&addr, alignment, 206))
		free(addr);
	if (!posix_memalign(&addr, alignment, zero))
		keep(addr);
	if (posix_memalign(&addr, alignment, huge))
		keep(NULL);
	keep(realloc(memalign(alignment, 207), 208));
}

static void use_alignments(void)
{
	static const size_t alignments[] = {0, 1, 2, 8, 15, 16, 17, 24, 32, 33, 64, 4096, 1 << 21};
	static volatile size_t absurd[] = {SIZE_MAX / 2 + 2, SIZE_MAX};
	void *addr;

	for (size_t i = 0; i < sizeof(alignments) / sizeof(*alignments); i++)
		use_alignment(alignments[i]);
	for (size_t i = 0; i < sizeof(absurd) / sizeof(*absurd); i++) {
		keep(memalign(absurd[i], 209));
		keep(aligned_alloc(absurd[i], 210));
		if (!posix_memalign(&addr, absurd[i], 211))
			keep(addr);
	}
}

static void use_pages(void)
{
	keep(valloc(301));
	free(valloc(302));
	keep(valloc(zero));
	keep(valloc(huge));
	keep(pvalloc(303));
	free(pvalloc(304));
	keep(pvalloc(zero));
	keep(pvalloc(whole));
}

/* What libc allocates on behalf of its caller counts, once. */
static void use_library(void)
{
	char *line = NULL, *text = NULL;
	size_t size = 0;
	FILE *file;

	keep(strdup("a string that is duplicated"));
	free(strndup("another one", 7));
	if (asprintf(&text, "%d and %s", 42, "more") >= 0)
		keep(text);
	file = fopen("/proc/self/maps", "re");
	while (file && getline(&line, &size, file) > 0)
		keep(line);
	free(line);
	if (file)
		fclose(file);
	keep(fopen("/dev/null", "we"));
	file = open_memstream(&text, &size);
	for (int i = 0; file && i < 1000; i++)
		fprintf(file, "%d ", i);
	if (file)
		fclose(file);
	keep(realpath("/proc/self/exe", NULL));
}

static void use_pointers(void)
{
	void *(*volatile by_pointer)(size_t) = malloc;
	void *(*by_name)(size_t);
	void (*old_free)(void *);

	*(void **)&by_name = dlsym(RTLD_DEFAULT, "malloc");
	*(void **)&old_free = dlsym(RTLD_DEFAULT, "cfree");
	keep(by_pointer(401));
	free(by_pointer(402));
	keep(by_name(403));
	free(by_name(404));
	if (old_free)
		old_free(malloc(405));
}

static void use_all(void)
{
	use_malloc();
	use_calloc();
	use_realloc();
	use_reallocarray();
	use_alignments();
	use_pages();
	use_library();
	use_pointers();
}

static void *thread_main(void *arg)
{
	for (int i = 0; i < 20; i++) {
		use_calloc();
		use_realloc();
		use_reallocarray();
		use_alignment(32);
		use_pages();
	}
	return arg;
}

int main(void)
{
	pthread_t thread[THREADS];

	target_await();
	use_all();
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, thread_main, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	use_all();
	return 0;
}
