/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a malloc(64) with its free costs when COUNT run at the same time: threads of one process, or processes of one thread each, which
 * share nothing but files.
 *
 *   at_once threads|processes COUNT BATCHES     prints nanoseconds of CPU a pair, the median of BATCHES batches of each
 *
 * A batch counts if each of the others has made nearly as many pairs meanwhile, so other work on the machine does not make
 * it look as if each had run alone.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNNERS_MAX 64
#define BATCHES_MAX 4000
#define BATCH	    20000 /* pairs */
#define STEP	    100	  /* pairs after which the others are told */
#define TRIES	    1000  /* batches made for each that is wanted, at most */

struct runner {
	_Alignas(128) atomic_ulong made; /* in a line, and a pair of lines, of its own */
	unsigned int counted;
	double each[BATCHES_MAX];
};

/* Shared by the processes too. */
static struct {
	unsigned int count, wanted;
	atomic_uint done;
	struct runner runners[RUNNERS_MAX];
} * all;

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void note(unsigned long made[RUNNERS_MAX])
{
	for (unsigned int i = 0; i < all->count; i++)
		made[i] = atomic_load(&all->runners[i].made);
}

static int ran_together(const unsigned long before[RUNNERS_MAX])
{
	unsigned long after[RUNNERS_MAX];

	note(after);
	for (unsigned int i = 0; i < all->count; i++)
		if (after[i] - before[i] < BATCH * 9 / 10)
			return 0;
	return 1;
}

static void make_batch(struct runner *runner)
{
	for (unsigned int i = 0; i < BATCH; i += STEP) {
		for (unsigned int j = 0; j < STEP; j++) {
			void *volatile block = malloc(64);

			free(block);
		}
		atomic_fetch_add_explicit(&runner->made, STEP, memory_order_relaxed);
	}
}

/* It goes on for the others when it has all its own. */
static void *run(void *arg)
{
	struct runner *runner = arg;
	unsigned long before[RUNNERS_MAX];

	for (unsigned long tries = (unsigned long)all->wanted * TRIES; tries && all->done < all->count; tries--) {
		uint64_t start;

		note(before);
		start = cpu_ns();
		make_batch(runner);
		start = cpu_ns() - start;
		if (runner->counted == all->wanted || !ran_together(before))
			continue;
		runner->each[runner->counted++] = (double)start / BATCH;
		all->done += runner->counted == all->wanted;
	}
	return NULL;
}

static int run_threads(void)
{
	pthread_t ids[RUNNERS_MAX];

	for (unsigned int i = 0; i < all->count; i++)
		if (pthread_create(&ids[i], NULL, run, &all->runners[i]))
			return 1;
	for (unsigned int i = 0; i < all->count; i++)
		pthread_join(ids[i], NULL);
	return 0;
}

/* In a thread too: the heap of a process's first one is another kind. */
static int run_processes(void)
{
	pthread_t id;

	for (unsigned int i = 0; i < all->count; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (pid)
			continue;
		if (pthread_create(&id, NULL, run, &all->runners[i]))
			_exit(1);
		pthread_join(id, NULL);
		_exit(0);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int print_median(void)
{
	static double each[RUNNERS_MAX * BATCHES_MAX];
	size_t count = 0;

	for (unsigned int i = 0; i < all->count; i++) {
		memcpy(&each[count], all->runners[i].each, all->runners[i].counted * sizeof(*each));
		count += all->runners[i].counted;
	}
	if (count < (size_t)all->count * all->wanted) {
		fprintf(stderr,
			"at_once: %zu batches of %u ran at once; run it when %u processors have less other work\n",
			count, all->count * all->wanted, all->count);
		return 1;
	}
	qsort(each, count, sizeof(*each), compare);
	printf("%.3f\n", each[count / 2]);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0,
		      wanted = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	int threads = argc > 1 && !strcmp(argv[1], "threads");

	if (argc != 4 || (!threads && strcmp(argv[1], "processes")) || !count || count > RUNNERS_MAX || !wanted ||
	    wanted > BATCHES_MAX) {
		fprintf(stderr, "usage: at_once threads|processes COUNT BATCHES (up to %d, %d)\n", RUNNERS_MAX,
			BATCHES_MAX);
		return 2;
	}
	all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all == MAP_FAILED) {
		perror("at_once: mmap");
		return 1;
	}
	all->count = (unsigned int)count;
	all->wanted = (unsigned int)wanted;
	if (threads ? run_threads() : run_processes()) {
		fputs("at_once: cannot start all of them\n", stderr);
		return 1;
	}
	return print_median();
}
