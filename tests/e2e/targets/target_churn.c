/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * malloc(SIZE) and free, over and over, as fast as it goes or at a steady rate; says at its end what a pair cost. For
 * the speed and stop tests and the benches.
 *
 *   target_churn [-r PAIRS_PER_SECOND] [-s SECONDS | -n PAIRS] [-t THREADS] [-z SIZE] [-f CHILDREN] [-w]
 *
 * -f forks idle children once churning has begun; -w waits to be let go first, and again before it exits. The last line
 * is "<ns per pair> <pairs>".
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "target.h"

#define BATCH 100

static uint64_t rate, pair_max = UINT64_MAX, size = 64;
static uint64_t duration_ns = UINT64_MAX;
static _Atomic uint64_t pairs_done, busy_ns;
static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static void sleep_until(uint64_t when_ns)
{
	struct timespec when = {.tv_sec = when_ns / 1000000000, .tv_nsec = when_ns % 1000000000};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, NULL))
		;
}

__attribute__((noinline)) static void churn(uint64_t pairs)
{
	void *volatile block;

	for (uint64_t i = 0; i < pairs; i++) {
		block = malloc(size);
		free(block);
	}
}

static void *thread_main(void *arg)
{
	uint64_t start_ns = now_ns(), spent_ns = 0, done = 0;

	while (done < pair_max) {
		uint64_t batch = pair_max - done < BATCH ? pair_max - done : BATCH;
		uint64_t from_ns = now_ns();

		if (from_ns - start_ns >= duration_ns)
			break;
		churn(batch);
		done += batch;
		spent_ns += now_ns() - from_ns;
		if (rate)
			sleep_until(start_ns + done * 1000000000 / rate);
	}
	atomic_fetch_add(&pairs_done, done);
	atomic_fetch_add(&busy_ns, spent_ns);
	return arg;
}

static void fork_idle(int count, pid_t *ret_children)
{
	for (int i = 0; i < count; i++) {
		ret_children[i] = fork();
		if (!ret_children[i]) {
			pause();
			_exit(0);
		}
	}
}

int main(int argc, char **argv)
{
	int option, threads = 1, child_count = 0, wait = 0;
	pthread_t thread[64];
	pid_t children[64];

	while ((option = getopt(argc, argv, "r:s:n:t:z:f:w")) != -1) {
		switch (option) {
		case 'r':
			rate = strtoull(optarg, NULL, 0);
			break;
		case 's':
			duration_ns = strtod(optarg, NULL) * 1e9;
			break;
		case 'n':
			pair_max = strtoull(optarg, NULL, 0);
			break;
		case 't':
			threads = atoi(optarg) > 64 ? 64 : atoi(optarg);
			break;
		case 'z':
			size = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			child_count = atoi(optarg) > 64 ? 64 : atoi(optarg);
			break;
		case 'w':
			wait = 1;
			break;
		default:
			return 2;
		}
	}
	if (wait)
		target_await();
	for (int i = 0; i < threads; i++)
		pthread_create(&thread[i], NULL, thread_main, NULL);
	fork_idle(child_count, children);
	for (int i = 0; i < child_count; i++)
		dprintf(STDOUT_FILENO, "%d\n", children[i]);
	for (int i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	if (wait)
		target_await();
	for (int i = 0; i < child_count; i++)
		kill(children[i], SIGKILL);
	dprintf(STDOUT_FILENO, "%.1f %llu\n", (double)busy_ns / (double)pairs_done, (unsigned long long)pairs_done);
	return 0;
}
