/* SPDX-License-Identifier: GPL-2.0-or-later */
/* questions.c: the order of questions, what is asked too late, too many, and the end of waiting. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>

#include <cmocka.h>

#include "base/thread.h"
#include "live/questions.h"

struct asker {
	struct questions *questions;
	struct question question;
	struct thread thread;
	int err;
};

static struct questions questions;

static void ask(void *arg)
{
	struct asker *asker = arg;

	asker->err = questions_ask(asker->questions, &asker->question);
}

static void await_askers(u32 count)
{
	u32 found;

	do {
		pthread_mutex_lock(&questions.lock);
		found = questions.askers;
		pthread_mutex_unlock(&questions.lock);
	} while (found != count);
}

/* One after the other, each of whom waits now. */
static void start(struct asker *askers, u32 count)
{
	for (u32 i = 0; i < count; i++) {
		askers[i] = (struct asker){.questions = &questions};
		assert_int_equal(thread_start(&askers[i].thread, ask, &askers[i]), 0);
		await_askers(i + 1);
	}
}

static int setup(void **state)
{
	(void)state;
	questions_init(&questions);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	questions_release(&questions);
	return 0;
}

static void test_questions_are_taken_in_their_order(void **state)
{
	struct asker askers[3];

	(void)state;
	start(askers, 3);
	assert_null(questions_take(&questions, askers[0].question.asked_ns - 1));
	assert_true(questions_are_named(&questions));
	for (u32 i = 0; i < 3; i++) {
		assert_ptr_equal(questions_take(&questions, UINT64_MAX), &askers[i].question);
		assert_false(questions_are_named(&questions));
		questions_give(&questions, &askers[i].question);
		thread_finish(&askers[i].thread);
		assert_int_equal(askers[i].err, 0);
		questions_named(&questions);
		assert_true(questions_are_named(&questions));
	}
	assert_null(questions_take(&questions, UINT64_MAX));
}

static void test_one_question_too_many_is_refused(void **state)
{
	static struct asker askers[QUESTIONS_MAX];
	struct question question = {0};

	(void)state;
	start(askers, QUESTIONS_MAX);
	assert_int_equal(questions_ask(&questions, &question), -EBUSY);
	questions_cancel(&questions);
	for (u32 i = 0; i < QUESTIONS_MAX; i++) {
		thread_finish(&askers[i].thread);
		assert_int_equal(askers[i].err, -ECANCELED);
	}
}

/* The last in the queue, one in the middle and the one that has been taken: all come back, and the queue is whole. */
static void test_who_waits_comes_back_when_it_is_cancelled(void **state)
{
	struct asker askers[3];
	struct question question = {0};
	eventfd_t woken;

	(void)state;
	start(askers, 3);
	assert_ptr_equal(questions_take(&questions, UINT64_MAX), &askers[0].question);
	assert_int_equal(eventfd_read(questions.wake_fd, &woken), 0);
	assert_false(questions_are_cancelled(&questions));
	questions_cancel(&questions);
	assert_true(questions_are_cancelled(&questions));
	assert_int_equal(eventfd_read(questions.wake_fd, &woken), 0);
	for (u32 i = 1; i < 3; i++) {
		thread_finish(&askers[i].thread);
		assert_int_equal(askers[i].err, -ECANCELED);
	}
	assert_null(questions_take(&questions, UINT64_MAX));
	questions_give(&questions, &askers[0].question);
	thread_finish(&askers[0].thread);
	assert_int_equal(askers[0].err, 0);
	questions_named(&questions);
	assert_int_equal(questions_ask(&questions, &question), -ECANCELED);
	assert_true(questions_are_named(&questions));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_questions_are_taken_in_their_order),
		TEST(test_one_question_too_many_is_refused),
		TEST(test_who_waits_comes_back_when_it_is_cancelled),
	};

	return cmocka_run_group_tests_name("questions", tests, NULL, NULL);
}
