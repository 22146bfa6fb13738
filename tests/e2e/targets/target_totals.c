/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same 30 273 calls each time, or 37 841 where there is an operator new, shared out in one way or another, so that what a sampler should
 * take is known. For bench/truth.sh.
 *
 *   target_totals threads N [AGAIN]   among N threads, which free each other's blocks; then it executes itself AGAIN times
 *   target_totals forks N             among N children, one after the other; each frees its own copy of a block of the parent's, too
 *   target_totals vforks N            among N children that run in their parent's memory
 *   target_totals starts RUNS N FILE  starts FILE.1 to FILE.RUNS, one after the other, with `forks N`
 *   target_totals plan                prints what it calls: function of this file, size, calls, blocks in use at the end
 *
 * Every function has sizes of its own. It allocates nothing else.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define ROUNDS	     4096
#define SLOTS	     8
#define THREADS_MAX  8
#define PARENTS	     200000 /* bytes of the block that each child frees */

/* C++'s, where something that is loaded has them. */
extern void *operator_new(size_t size) __asm__("_Znwm") __attribute__((weak));
extern void operator_delete(void *block) __asm__("_ZdlPv") __attribute__((weak));

/* A call in each round whose number `stride` divides. The last is taken by a sampler of one in 4096 bytes but once in 10^17 calls. */
static const struct kind {
	size_t size;
	unsigned int stride;
	bool kept;
} kinds[] = {
	{24, 1, false},	    {200, 2, false},  {1000, 4, false},	    {4100, 16, false},
	{16400, 64, false}, {3000, 64, true}, {163840, 256, false},
};

static void *slots[SLOTS], *moving[SLOTS], *made[SLOTS], *parents;
static void *volatile lost;

static void put(void **slot, void *block)
{
	free(__atomic_exchange_n(slot, block, __ATOMIC_SEQ_CST));
}

static void put_made(void **slot, void *block)
{
	block = __atomic_exchange_n(slot, block, __ATOMIC_SEQ_CST);
	if (block)
		operator_delete(block);
}

/* Each of these is a site. */
#define SITE __attribute__((noipa)) static void *

SITE by_malloc(size_t size)
{
	void *volatile block = malloc(size);

	return block;
}

SITE by_calloc(size_t size)
{
	void *volatile block = calloc(1, size);

	return block;
}

SITE by_realloc(void *old, size_t size)
{
	void *volatile block = realloc(old, size);

	return block;
}

SITE by_posix_memalign(size_t size)
{
	void *block = NULL;

	return posix_memalign(&block, 64, size) ? NULL : block;
}

SITE by_new(size_t size)
{
	void *volatile block = operator_new(size);

	return block;
}

static void call(const struct kind *kind, unsigned int slot)
{
	size_t size = kind->size;

	if (kind->kept) {
		lost = by_malloc(size);
		lost = by_calloc(size + 1);
		lost = by_realloc(NULL, size + 2);
		lost = by_posix_memalign(size + 3);
		if (operator_new)
			lost = by_new(size + 4);
		return;
	}
	put(&slots[slot], by_malloc(size));
	put(&slots[slot], by_calloc(size + 1));
	put(&moving[slot], by_realloc(__atomic_exchange_n(&moving[slot], NULL, __ATOMIC_SEQ_CST), size + 2));
	put(&slots[slot], by_posix_memalign(size + 3));
	if (operator_new)
		put_made(&made[slot], by_new(size + 4));
}

static void empty_slots(void)
{
	for (unsigned int i = 0; i < SLOTS; i++) {
		put(&slots[i], NULL);
		put(&moving[i], NULL);
		put_made(&made[i], NULL);
	}
}

struct share {
	pthread_t thread;
	unsigned int first, end;
};

__attribute__((noipa)) static void *work(void *arg)
{
	const struct share *share = arg;

	for (unsigned int round = share->first; round < share->end; round++)
		for (size_t i = 0; i < COUNT(kinds); i++)
			if (round % kinds[i].stride == 0)
				call(&kinds[i], round / kinds[i].stride % SLOTS);
	return NULL;
}

static struct share share_of(unsigned int number, unsigned int count)
{
	return (struct share){.first = ROUNDS * number / count, .end = ROUNDS * (number + 1) / count};
}

static void by_threads(unsigned int count)
{
	struct share shares[THREADS_MAX] = {0};

	for (unsigned int i = 0; i < count; i++)
		shares[i] = share_of(i, count);
	for (unsigned int i = 1; i < count; i++)
		if (pthread_create(&shares[i].thread, NULL, work, &shares[i]))
			_exit(90);
	work(&shares[0]);
	for (unsigned int i = 1; i < count; i++)
		pthread_join(shares[i].thread, NULL);
}

static void wait_for(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || status)
		_exit(91);
}

static void by_forks(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct share share = share_of(i, count);
		pid_t child = fork();

		if (child == 0) {
			work(&share);
			empty_slots();
			free(parents);
			_exit(0);
		}
		wait_for(child);
	}
}

/* A function of its own, whose variables a child that runs on its stack may change. */
__attribute__((noipa)) static void vfork_child(struct share *share)
{
	pid_t child = vfork();

	if (child == 0) {
		work(share);
		_exit(0);
	}
	wait_for(child);
}

static void by_vforks(unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		struct share share = share_of(i, count);

		vfork_child(&share);
	}
}

static void print_plan(void)
{
	static const char *const functions[] = {"malloc", "calloc", "realloc", "posix_memalign", "new"};

	printf("by_malloc %d 1 1\n", PARENTS);
	for (size_t i = 0; i < COUNT(functions) - !operator_new; i++)
		for (size_t j = 0; j < COUNT(kinds); j++)
			printf("by_%s %zu %u %u\n", functions[i], kinds[j].size + i, ROUNDS / kinds[j].stride,
			       kinds[j].kept ? ROUNDS / kinds[j].stride : 0);
}

static int start(unsigned int runs, char *count, const char *file)
{
	char path[4096];

	for (unsigned int i = 1; i <= runs; i++) {
		pid_t child;

		snprintf(path, sizeof(path), "%s.%u", file, i);
		child = fork();
		if (child == 0) {
			execl(path, path, "forks", count, NULL);
			_exit(93);
		}
		wait_for(child);
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;
	unsigned int again = argc > 3 ? (unsigned int)atoi(argv[3]) : 0;
	char left[16];

	if (argc == 2 && !strcmp(argv[1], "plan")) {
		print_plan();
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "starts"))
		return start(count, argv[3], argv[4]);
	if (!count || (!strcmp(argv[1], "threads") && count > THREADS_MAX))
		return 2;
	target_await();
	parents = by_malloc(PARENTS);
	if (!strcmp(argv[1], "threads"))
		by_threads(count);
	else if (!strcmp(argv[1], "forks"))
		by_forks(count);
	else
		by_vforks(count);
	empty_slots();
	if (!again)
		return 0;
	snprintf(left, sizeof(left), "%u", again - 1);
	execl("/proc/self/exe", argv[0], argv[1], argv[2], left, NULL);
	return 92;
}
