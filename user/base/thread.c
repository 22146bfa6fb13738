/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/thread.h"

#include <sys/resource.h>

#define FIRST (-20)

static atomic_int initial_priority; /* nice value, which Linux keeps for each thread */
static atomic_bool raised;	    /* it is known, and has been left */

void thread_raise_priority(void)
{
	atomic_store(&initial_priority, getpriority(PRIO_PROCESS, 0));
	atomic_store(&raised, true);
	setpriority(PRIO_PROCESS, 0, FIRST);
}

void thread_lower_priority(void)
{
	if (atomic_load(&raised))
		setpriority(PRIO_PROCESS, 0, atomic_load(&initial_priority));
}

static void *run(void *arg)
{
	struct thread *thread = arg;

	/* Only the thread that drains the ring goes first; this one has time. */
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
