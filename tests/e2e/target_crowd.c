/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Very many processes, most of which do nothing.
 *
 *   target_crowd DIR COUNT ACTIVE      forks COUNT children, then takes orders through DIR/in:
 *     work SECONDS       ACTIVE of the children allocate and free, each 200 times a second; all the others sleep
 *     fork RATE SECONDS  so many more children a second, each of which allocates a little and ends
 *
 * Each order is answered "done", or "failed" where a child could not be had.
 */
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "offspring.h"
#include "talk.h"

#define BEATS 10 /* a second */
#define BATCH 20

struct board {
	_Atomic unsigned int order; /* counts up with each one */
	_Atomic unsigned int seconds;
	_Atomic unsigned int busy; /* children that have not done it yet */
};

static struct board *board;

static void await_change(_Atomic unsigned int *word, unsigned int seen)
{
	while (atomic_load(word) == seen)
		syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void wake(_Atomic unsigned int *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, 1 << 30, NULL, NULL, 0);
}

static void sleep_ns(long ns)
{
	struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	while (nanosleep(&time, &time))
		;
}

static void batch(void)
{
	void *volatile blocks[BATCH];

	for (unsigned int i = 0; i < BATCH; i++)
		blocks[i] = malloc(2048);
	for (unsigned int i = 0; i < BATCH; i++)
		free(blocks[i]);
}

static void work(unsigned int seconds)
{
	for (unsigned int beat = 0; beat < seconds * BEATS; beat++) {
		batch();
		sleep_ns(1000000000 / BEATS);
	}
}

static void active_main(void)
{
	for (unsigned int seen = 0;; seen++) {
		await_change(&board->order, seen);
		work(atomic_load(&board->seconds));
		if (atomic_fetch_sub(&board->busy, 1) == 1)
			wake(&board->busy);
	}
}

static void make_child(void (*run)(void))
{
	pid_t pid = fork();

	if (pid < 0)
		_exit(95);
	if (pid)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run();
	_exit(0);
}

static void idle_main(void)
{
	for (;;)
		pause();
}

static void order_work(unsigned int active, unsigned int seconds)
{
	unsigned int busy;

	atomic_store(&board->busy, active);
	atomic_store(&board->seconds, seconds);
	atomic_fetch_add(&board->order, 1);
	wake(&board->order);
	while ((busy = atomic_load(&board->busy)))
		await_change(&board->busy, busy);
	talk_say("done");
}

static void order_forks(unsigned int rate, unsigned int seconds)
{
	int status, failed = 0;

	for (unsigned int i = 0; i < rate * seconds; i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(offspring(i % 100));
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			failed++;
		sleep_ns(1000000000 / rate);
	}
	talk_say(failed ? "failed" : "done");
}

int main(int argc, char **argv)
{
	unsigned int count, active, first, second;
	char line[64];

	if (argc < 4)
		return 2;
	count = (unsigned int)strtoul(argv[2], NULL, 10);
	active = (unsigned int)strtoul(argv[3], NULL, 10);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		return 1;
	talk_through(argv[1]);
	for (unsigned int i = 0; i < count; i++)
		make_child(i < active ? active_main : idle_main);
	while (talk_hear(line, sizeof(line)))
		if (sscanf(line, "work %u", &first) == 1)
			order_work(active, first);
		else if (sscanf(line, "fork %u %u", &first, &second) == 2)
			order_forks(first, second);
	return 0;
}
