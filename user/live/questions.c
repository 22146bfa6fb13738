/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "live/questions.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

void questions_init(struct questions *questions)
{
	*questions = (struct questions){.last = &questions->first};
	pthread_mutex_init(&questions->lock, NULL);
	pthread_cond_init(&questions->answered, NULL);
	questions->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void questions_release(struct questions *questions)
{
	pthread_cond_destroy(&questions->answered);
	pthread_mutex_destroy(&questions->lock);
	if (questions->wake_fd >= 0)
		close(questions->wake_fd);
}

/* --- askers --- */

/* False: it has been taken, and will be answered. */
static bool withdraw(struct questions *questions, struct question *question)
{
	struct question **at = &questions->first;

	while (*at && *at != question)
		at = &(*at)->next;
	if (!*at)
		return false;
	*at = question->next;
	questions->last = question->next ? questions->last : at;
	return true;
}

static int wait_for_answer(struct questions *questions, struct question *question)
{
	question->asked_ns = clock_now_ns();
	*questions->last = question;
	questions->last = &question->next;
	eventfd_write(questions->wake_fd, 1);
	while (!question->answered) {
		pthread_cond_wait(&questions->answered, &questions->lock);
		if (questions->cancelled && withdraw(questions, question))
			return -ECANCELED;
	}
	return 0;
}

int questions_ask(struct questions *questions, struct question *question)
{
	int err = 0;

	pthread_mutex_lock(&questions->lock);
	if (questions->cancelled)
		err = -ECANCELED;
	else if (questions->askers == QUESTIONS_MAX)
		err = -EBUSY;
	if (!err) {
		questions->askers++;
		err = wait_for_answer(questions, question);
		questions->askers--;
	}
	pthread_mutex_unlock(&questions->lock);
	return err;
}

void questions_named(struct questions *questions)
{
	pthread_mutex_lock(&questions->lock);
	questions->unnamed--;
	pthread_mutex_unlock(&questions->lock);
}

void questions_cancel(struct questions *questions)
{
	pthread_mutex_lock(&questions->lock);
	questions->cancelled = true;
	pthread_cond_broadcast(&questions->answered);
	pthread_mutex_unlock(&questions->lock);
	eventfd_write(questions->wake_fd, 1);
}

bool questions_are_cancelled(struct questions *questions)
{
	bool cancelled;

	pthread_mutex_lock(&questions->lock);
	cancelled = questions->cancelled;
	pthread_mutex_unlock(&questions->lock);
	return cancelled;
}

/* --- the one that answers --- */

struct question *questions_take(struct questions *questions, u64 until_ns)
{
	struct question *question;

	pthread_mutex_lock(&questions->lock);
	question = questions->first;
	if (question && question->asked_ns > until_ns)
		question = NULL;
	if (question) {
		questions->first = question->next;
		questions->last = questions->first ? questions->last : &questions->first;
		questions->unnamed++;
	}
	pthread_mutex_unlock(&questions->lock);
	return question;
}

void questions_give(struct questions *questions, struct question *question)
{
	pthread_mutex_lock(&questions->lock);
	question->answered = true;
	pthread_cond_broadcast(&questions->answered);
	pthread_mutex_unlock(&questions->lock);
}

bool questions_are_waiting(struct questions *questions)
{
	bool waiting;

	pthread_mutex_lock(&questions->lock);
	waiting = questions->first;
	pthread_mutex_unlock(&questions->lock);
	return waiting;
}

bool questions_are_named(struct questions *questions)
{
	bool named;

	pthread_mutex_lock(&questions->lock);
	named = !questions->unnamed;
	pthread_mutex_unlock(&questions->lock);
	return named;
}
