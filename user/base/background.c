/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that works once; used for profiles that are written while recording goes on. */
#include "base/background.h"

#include "base/priority.h"

static void *run(void *arg)
{
	struct background *background = arg;

	/* The thread that drains the ring takes precedence over everybody; this one has time. */
	priority_lower();
	background->work(background->arg);
	atomic_store(&background->done, true);
	return NULL;
}

int background_start(struct background *background, void (*work)(void *arg), void *arg)
{
	int err;

	background->work = work;
	background->arg = arg;
	atomic_store(&background->done, false);
	err = pthread_create(&background->thread, NULL, run, background);
	background->started = !err;
	return -err;
}

bool background_is_done(const struct background *background)
{
	return atomic_load(&background->done);
}

void background_finish(struct background *background)
{
	if (background->started)
		pthread_join(background->thread, NULL);
	background->started = false;
}
