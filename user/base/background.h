/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef BACKGROUND_H
#define BACKGROUND_H
/* One piece of work in a thread of its own, at the priority heaptap was started with, while the ring is being drained. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct background {
	void (*work)(void *arg);
	void *arg;
	pthread_t thread;
	bool started;
	atomic_bool done;
};

/* 0 or negative errno. What `arg` leads to is the thread's alone until background_finish. */
int background_start(struct background *background, void (*work)(void *arg), void *arg);

bool background_is_done(const struct background *background);

/* Wait for it, if it was started. */
void background_finish(struct background *background);

#endif
