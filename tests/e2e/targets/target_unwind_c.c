/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * C without frame pointers, in all the shapes a frame can have, with libc's own code in between: callbacks of qsort and
 * tsearch, streams, regular expressions, libraries that come and go. Every run makes the same calls.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <regex.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define ROUNDS	400
#define THREADS 3

struct walk {
	uint64_t random;
	uint64_t sum;
};

typedef void (*shape)(struct walk *walk, unsigned int left);
static void go_on(struct walk *walk, unsigned int left);

static unsigned int draw(struct walk *walk, unsigned int below)
{
	walk->random ^= walk->random << 13;
	walk->random ^= walk->random >> 7;
	walk->random ^= walk->random << 17;
	return walk->random % below;
}

__attribute__((noinline)) static void keep_and_free(struct walk *walk, void *block)
{
	__asm__ volatile("" : "+r"(block) : : "memory");
	walk->sum += block != NULL;
	free(block);
}

__attribute__((noinline)) static void shape_small(struct walk *walk, unsigned int left)
{
	keep_and_free(walk, malloc(left + 1));
	go_on(walk, left);
	walk->sum++;
}

/* All callee-saved registers in use, bp as one of them. */
__attribute__((noinline)) static void shape_registers(struct walk *walk, unsigned int left)
{
	uint64_t a = walk->sum, b = a * 3, c = b ^ left, d = c + a, e = d * 5, f = e ^ b, g = f + c;

	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+r"(g));
	keep_and_free(walk, calloc(left + 1, 3));
	go_on(walk, left);
	__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+r"(g));
	walk->sum += (a ^ b ^ c ^ d ^ e ^ f ^ g) & 1;
}

/* A frame of a size only known while it runs: addressed by bp. */
__attribute__((noinline)) static void shape_alloca(struct walk *walk, unsigned int left)
{
	char *block = __builtin_alloca(64 + draw(walk, 500));

	memset(block, (int)left, 64);
	__asm__ volatile("" : : "r"(block) : "memory");
	keep_and_free(walk, realloc(NULL, left + 2));
	go_on(walk, left);
	walk->sum += (unsigned char)block[13];
}

/* More than a page. */
__attribute__((noinline)) static void shape_large(struct walk *walk, unsigned int left)
{
	char block[6000];

	memset(block, (int)left, sizeof(block));
	__asm__ volatile("" : : "r"(block) : "memory");
	keep_and_free(walk, aligned_alloc(64, 64 * (left + 1)));
	go_on(walk, left);
	walk->sum += (unsigned char)block[5000];
}

/* The stack is realigned. */
__attribute__((noinline)) static void shape_aligned(struct walk *walk, unsigned int left)
{
	char block[64] __attribute__((aligned(64)));
	char *more = __builtin_alloca(16 + left);

	memset(block, (int)left, sizeof(block));
	__asm__ volatile("" : : "r"(block), "r"(more) : "memory");
	keep_and_free(walk, malloc(left + 3));
	go_on(walk, left);
	walk->sum += (unsigned char)block[9] + ((uintptr_t)block & 63);
}

static __thread struct walk *sorting;
static __thread unsigned int sorting_left;

static int compare_numbers(const void *left, const void *right)
{
	if (sorting && *(const int *)left % 5 == 0)
		keep_and_free(sorting, malloc(sorting_left + 4));
	return *(const int *)left - *(const int *)right;
}

/* Through libc: merge sort with its temporary block, and a tree. */
__attribute__((noinline)) static void shape_callback(struct walk *walk, unsigned int left)
{
	int numbers[24];
	void *root = NULL;

	for (int i = 0; i < 24; i++)
		numbers[i] = (int)draw(walk, 1000);
	sorting = walk;
	sorting_left = left;
	qsort(numbers, 24, sizeof(*numbers), compare_numbers);
	sorting = NULL;
	for (int i = 0; i < 4; i++)
		tsearch(&numbers[i], &root, compare_numbers);
	while (root)
		tdelete(*(int **)root, &root, compare_numbers);
	go_on(walk, left);
	walk->sum += (unsigned int)numbers[0];
}

__attribute__((noinline)) static void shape_stream(struct walk *walk, unsigned int left)
{
	char *text = NULL, *line = NULL;
	size_t size = 0, room = 0;
	FILE *stream = open_memstream(&text, &size);

	for (unsigned int i = 0; i < 9; i++)
		fprintf(stream, "%u %*s %.40f\n", i, (int)draw(walk, 300), "x", 1.0 / (left + 1));
	fclose(stream);
	stream = fmemopen(text, size, "r");
	while (getline(&line, &room, stream) > 0)
		walk->sum += strlen(line);
	fclose(stream);
	free(line);
	free(text);
	go_on(walk, left);
}

__attribute__((noinline)) static void shape_regex(struct walk *walk, unsigned int left)
{
	regmatch_t match[3];
	regex_t regex;

	if (regcomp(&regex, "^(a|b[0-9]+)*c(x|y)?$", REG_EXTENDED))
		abort();
	walk->sum += !regexec(&regex, "ab12ab3acy", 3, match, 0);
	regfree(&regex);
	go_on(walk, left / 2);
}

static const shape shapes[] = {shape_small,   shape_registers, shape_alloca, shape_large,
			       shape_aligned, shape_callback,  shape_stream};

__attribute__((noinline)) static void go_on(struct walk *walk, unsigned int left)
{
	if (left)
		shapes[draw(walk, sizeof(shapes) / sizeof(*shapes))](walk, left - 1);
	__asm__ volatile("" : : : "memory");
}

#ifdef SHIM_STATIC
static void come_and_go(struct walk *walk)
{
	(void)walk;
}
#else
/* A library that is mapped, called in and unmapped again. */
static void come_and_go(struct walk *walk)
{
	void *library = dlopen("libanl.so.1", RTLD_NOW | RTLD_LOCAL);

	walk->sum += library != NULL;
	if (library)
		dlclose(library);
}
#endif

static void *work(void *arg)
{
	struct walk *walk = arg;

	for (int i = 0; i < ROUNDS; i++) {
		go_on(walk, draw(walk, 18));
		if (i % 40 == 0)
			come_and_go(walk);
		if (i % 100 == 0)
			shape_regex(walk, 4);
	}
	return NULL;
}

int main(void)
{
	struct walk walks[THREADS] = {{88172645463325252u, 0}, {362436069362436069u, 0}, {521288629521288629u, 0}};
	pthread_t threads[THREADS];
	char words[100];

	for (int i = 1; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, &walks[i]);
	work(&walks[0]);
	for (int i = 1; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return write(STDOUT_FILENO, words,
		     (size_t)snprintf(words, sizeof(words), "%lu %lu %lu\n", (unsigned long)walks[0].sum,
				      (unsigned long)walks[1].sum, (unsigned long)walks[2].sum)) <= 0;
}
