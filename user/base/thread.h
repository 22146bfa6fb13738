/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The priority of heaptap's threads, and work in the background. Only the thread that empties the ring goes before the
 * processes that it traces.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

/* The calling thread goes first from now on; threads that it starts do too, until they call thread_lower_priority. */
void thread_raise_priority(void);

/* The calling thread gets the priority that heaptap was started with, which it has if no thread was raised. */
void thread_lower_priority(void);

/* One piece of work in a thread of its own, at the priority that heaptap was started with. */
struct thread {
	void (*work)(void *arg);
	void *arg;
	pthread_t thread;
	bool started;
	atomic_bool done;
};

/* 0 or negative errno. What `arg` points to belongs to the thread until thread_finish. */
int thread_start(struct thread *thread, void (*work)(void *arg), void *arg);

bool thread_is_done(const struct thread *thread);

/* Wait for it, if it was started. */
void thread_finish(struct thread *thread);
