/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Allocates at a rate that changes on command: for each byte that it reads, b begins to churn (blocks of 16 bytes, each freed at once, with
 * some computing between them), and q ends that; k keeps one more block of KEPT_BYTES, and f frees the newest; h begins a thread that is held within
 * a call of pool_take for KEPT_BYTES, and r lets it return, to take 16 bytes at a time from there. It answers each with the same byte. With e it
 * frees what it kept, and exits with 0 if no byte of it has changed.
 */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define KEPT_MAX   1000
#define KEPT_BYTES 100000
#define SPIN	   60000 /* some 50 microseconds: no trap costs as much */

static unsigned char *kept[KEPT_MAX];
static unsigned int count;
static volatile uint64_t spun;

static void keep(void)
{
	if (count == KEPT_MAX)
		_exit(96);
	kept[count] = malloc(KEPT_BYTES);
	memset(kept[count], (int)(count & 0xff), KEPT_BYTES);
	count++;
}

static void drop(void)
{
	if (!count)
		_exit(95);
	count--;
	for (unsigned int i = 0; i < KEPT_BYTES; i++)
		if (kept[count][i] != (count & 0xff))
			_exit(94);
	free(kept[count]);
}

static void churn(void)
{
	struct pollfd next = {.fd = STDIN_FILENO, .events = POLLIN};

	while (poll(&next, 1, 0) == 0)
		for (int i = 0; i < 100; i++) {
			free(malloc(16));
			for (int j = 0; j < SPIN; j++)
				spun += (uint64_t)j;
		}
}

/* An allocator of its own (--alloc): its first call is held. */
static sem_t is_held, let_go;

__attribute__((noinline)) void *pool_take(size_t size)
{
	static char pool[KEPT_BYTES];

	if (size == KEPT_BYTES) {
		sem_post(&is_held);
		while (sem_wait(&let_go))
			;
	}
	return pool + spun % 16;
}

__attribute__((noinline)) void pool_put(void *block)
{
	if (!block)
		_exit(93);
}

/* All calls from one place, where each has the stack pointer of the others. */
static void *take_all(void *arg)
{
	for (size_t size = KEPT_BYTES;; size = 16) {
		pool_put(pool_take(size));
		for (int i = 0; i < SPIN; i++)
			spun += (uint64_t)i;
	}
	return arg;
}

static void begin_held(void)
{
	pthread_t thread;

	sem_init(&is_held, 0, 0);
	sem_init(&let_go, 0, 0);
	if (pthread_create(&thread, NULL, take_all, NULL))
		_exit(92);
	while (sem_wait(&is_held))
		;
}

int main(void)
{
	char order;

	target_await();
	while (read(STDIN_FILENO, &order, 1) == 1 && order != 'e') {
		if (order == 'k')
			keep();
		else if (order == 'f')
			drop();
		else if (order == 'h')
			begin_held();
		else if (order == 'r')
			sem_post(&let_go);
		if (write(STDOUT_FILENO, &order, 1) != 1)
			return 99;
		if (order == 'b')
			churn();
	}
	while (count)
		drop();
	return 0;
}
