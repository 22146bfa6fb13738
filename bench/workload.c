/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that is measured. It reads one command a line and answers each with one number on a line, so that one and
 * the same process is measured untraced and under one tracer after the other. Run by the scripts beside it.
 *
 *   pairs N            malloc(64) and free, N times: nanoseconds a pair
 *   paced RATE SECONDS the same, RATE pairs a second: how many were made
 *   threads T N        the same, N times in each of T threads, as fast as they can: how many were made
 *   fork N             fork, exit and wait, N times: nanoseconds each
 *   exec N             the same with an exec of true(1) between: nanoseconds each
 *
 * Costs are CPU time, children's included: other users of the machine disturb that least.
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BATCHES	    11
#define THREADS_MAX 64
#define TICK_NS	    1000000

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int make_pairs(unsigned long count)
{
	for (unsigned long i = 0; i < count; i++) {
		void *volatile block = malloc(64);

		free(block);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* What each of them takes, as `spent` counts: the median of some batches, so that what disturbs a few does not show. */
static double cost(int (*make)(unsigned long count), uint64_t (*spent)(void), unsigned long count)
{
	unsigned long batch = count / BATCHES + 1;
	double each[BATCHES];

	for (int i = 0; i < BATCHES; i++) {
		uint64_t start = spent();

		if (make(batch))
			return -1;
		each[i] = (double)(spent() - start) / (double)batch;
	}
	qsort(each, BATCHES, sizeof(each[0]), compare);
	return each[BATCHES / 2];
}

/* Every millisecond what is due by then; whoever is late catches up. */
static double paced(unsigned long rate, unsigned long seconds)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC), made = 0;

	for (uint64_t tick = start + TICK_NS; tick <= start + seconds * 1000000000; tick += TICK_NS) {
		uint64_t due = (tick - start) / TICK_NS * rate / (1000000000 / TICK_NS);
		struct timespec until = {.tv_sec = (time_t)(tick / 1000000000), .tv_nsec = (long)(tick % 1000000000)};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
		make_pairs(due - made);
		made = due;
	}
	return (double)made;
}

static void *thread(void *arg)
{
	make_pairs(*(unsigned long *)arg);
	return NULL;
}

static double threads(unsigned long count, unsigned long pairs_each)
{
	pthread_t ids[THREADS_MAX];
	unsigned long started = 0;

	while (started < count && started < THREADS_MAX && !pthread_create(&ids[started], NULL, thread, &pairs_each))
		started++;
	for (unsigned long i = 0; i < started; i++)
		pthread_join(ids[i], NULL);
	return (double)(started * pairs_each);
}

static uint64_t thread_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

static uint64_t usage_ns(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static uint64_t family_ns(void)
{
	return usage_ns(RUSAGE_SELF) + usage_ns(RUSAGE_CHILDREN);
}

static int make_children(unsigned long count, const char *path)
{
	int status;

	for (unsigned long i = 0; i < count; i++) {
		pid_t pid = fork();

		if (!pid) {
			if (path)
				execl(path, path, (char *)NULL);
			_exit(path != NULL);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			return -1;
	}
	return 0;
}

static int make_forks(unsigned long count)
{
	return make_children(count, NULL);
}

static int make_execs(unsigned long count)
{
	return make_children(count, "/bin/true");
}

static double obey(const char *word, unsigned long a, unsigned long b)
{
	if (!strcmp(word, "pairs") && a)
		return cost(make_pairs, thread_ns, a);
	if (!strcmp(word, "paced") && a && b)
		return paced(a, b);
	if (!strcmp(word, "threads") && a && b)
		return threads(a, b);
	if (!strcmp(word, "fork") && a)
		return cost(make_forks, family_ns, a);
	if (!strcmp(word, "exec") && a)
		return cost(make_execs, family_ns, a);
	return -1;
}

int main(void)
{
	char line[128], word[16];

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof(line), stdin)) {
		unsigned long a = 0, b = 0;

		if (sscanf(line, "%15s %lu %lu", word, &a, &b) >= 1)
			printf("%.2f\n", obey(word, a, b));
	}
	return 0;
}
