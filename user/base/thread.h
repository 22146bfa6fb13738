/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BASE_THREAD_H
#define BASE_THREAD_H
/* One piece of work in a thread of its own, at the priority heaptap was started with, while the ring is being drained. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct thread {
	void (*work)(void *arg);
	void *arg;
	pthread_t thread;
	bool started;
	atomic_bool done;
};

/* 0 or negative errno. What `arg` leads to is the thread's alone until thread_finish. */
int thread_start(struct thread *thread, void (*work)(void *arg), void *arg);

bool thread_is_done(const struct thread *thread);

/* Wait for it, if it was started. */
void thread_finish(struct thread *thread);

#endif
