/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that works once; used for profiles that are written while recording goes on. */
#include "base/thread.h"

#include "base/priority.h"

static void *run(void *arg)
{
	struct thread *thread = arg;

	/* The thread that drains the ring takes precedence over everybody; this one has time. */
	thread_lower_priority();
	thread->work(thread->arg);
	atomic_store(&thread->done, true);
	return NULL;
}

int thread_start(struct thread *thread, void (*work)(void *arg), void *arg)
{
	int err;

	thread->work = work;
	thread->arg = arg;
	atomic_store(&thread->done, false);
	err = pthread_create(&thread->thread, NULL, run, thread);
	thread->started = !err;
	return -err;
}

bool thread_is_done(const struct thread *thread)
{
	return atomic_load(&thread->done);
}

void thread_finish(struct thread *thread)
{
	if (thread->started)
		pthread_join(thread->thread, NULL);
	thread->started = false;
}
