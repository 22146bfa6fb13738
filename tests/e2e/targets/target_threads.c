/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Eight threads, each making 100 000 blocks and freeing as many, most of them made by another thread: every block is
 * exchanged against what lies in a shared slot. The blocks in the slots at the end stay alive.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#include "target.h"

#define THREADS 8
#define PAIRS	100000
#define SLOTS	256

static void *_Atomic slots[SLOTS];

static void *thread_main(void *arg)
{
	uint32_t random = (uint32_t)(uintptr_t)arg * 2654435761u + 1;

	for (int i = 0; i < PAIRS; i++) {
		random = random * 1664525u + 1013904223u;
		free(atomic_exchange(&slots[random >> 24], malloc(8 + (random >> 16 & 127))));
	}
	return NULL;
}

int main(void)
{
	pthread_t thread[THREADS];

	target_await();
	for (uintptr_t i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, thread_main, (void *)i);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
