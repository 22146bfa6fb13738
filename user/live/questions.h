/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Questions to the thread that empties the ring: threads that ask wait in a queue until it has answered, in the order they came. From then
 * on their snapshots are unnamed, and images, and files that names are made of, must stay, until each asker says that it needs them no
 * longer: that it has read memory, waited for its turn, and completed and named all of its snapshots.
 */
#include <pthread.h>

#include "live/source.h"
#include "live/taken.h"

#define QUESTIONS_MAX 64 /* askers who wait at a time; one more gets -EBUSY */

/* On its asker's stack. */
struct question {
	const struct source_want *want; /* NULL: the list of all */
	bool gc;
	u64 asked_ns; /* what happened before is to be in the answer */
	struct taken_list taken;
	struct source_listing head; /* without its processes */
	int err;
	bool answered;
	struct question *next;
};

struct questions {
	pthread_mutex_t lock; /* of all the others */
	pthread_cond_t answered;
	struct question *first, **last;
	u32 askers, unnamed;
	bool cancelled;
	int wake_fd; /* an eventfd, written to with each question: the one that answers waits for it */
};

void questions_init(struct questions *questions);
void questions_release(struct questions *questions); /* none may be waiting */

/*
 * For askers: wait for the answer. 0: it is there, and questions_named must follow, whatever it is; -EBUSY; or -ECANCELED: none will come.
 */
int questions_ask(struct questions *questions, struct question *question);
void questions_named(struct questions *questions);

/* Those who wait, and all who ask from now on, get -ECANCELED, but for questions that have been taken. By any thread. Wakes the one that answers. */
void questions_cancel(struct questions *questions);
bool questions_are_cancelled(struct questions *questions);

/* For the one that answers: the first question that was asked until then, to be given back; NULL: there is none. */
struct question *questions_take(struct questions *questions, u64 until_ns);
void questions_give(struct questions *questions, struct question *question);

bool questions_are_waiting(struct questions *questions);

/* Nothing is unnamed; as only questions_take changes that, it remains so until then. */
bool questions_are_named(struct questions *questions);
