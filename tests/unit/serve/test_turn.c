/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turn.c: one at a time, in order. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/turn.h"

#define THREADS 40

static struct turn turn;
static unsigned int order[THREADS], taken;

static u64 asked(void)
{
	u64 count;

	pthread_mutex_lock(&turn.lock);
	count = turn.asked;
	pthread_mutex_unlock(&turn.lock);
	return count;
}

static void *take_and_note(void *arg)
{
	turn_take(&turn);
	order[taken++] = (unsigned int)(uintptr_t)arg;
	turn_give(&turn);
	return NULL;
}

/* Each asks after the one before it has: so they get it. */
static void test_turn_goes_to_who_asked_first(void **state)
{
	pthread_t threads[THREADS];

	(void)state;
	turn_init(&turn);
	turn_take(&turn);
	for (uintptr_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, take_and_note, (void *)i), 0);
		while (asked() < i + 2)
			sched_yield();
	}
	assert_int_equal(taken, 0);
	turn_give(&turn);
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(order[i], i);
	turn_destroy(&turn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turn_goes_to_who_asked_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
