/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Exact mode keeps up: 100 000 malloc and free pairs a second for ten seconds, and eight threads that go as fast as
 * they can, with the default ring and nothing lost; and heaptap's own work per event is not of another order than it was. What
 * it is, bench/exact.sh measures.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"

#define RATE		 100000
#define SECONDS		 10
#define PER_EVENT_US_MAX 10

static double cpu_us(const struct rusage *usage)
{
	return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e6 +
	       (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

/* Attach to `argv`, let it run to its end; the events it made. */
static uint64_t record_exact(struct scene *scene, const char *comm, const char *const *argv)
{
	uint64_t events;
	cJSON *index;

	target_start(&scene->target, NULL, argv);
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	ledger_assert_clean(index_process(index, comm));
	events = index_number(index_process(index, comm), "ledger.sampled") +
		 index_number(index_process(index, comm), "ledger.freed");
	cJSON_Delete(index);
	return events;
}

static void test_speed_hundred_thousand_pairs_a_second_lose_nothing(void **state)
{
	struct scene *scene = *state;
	double idle_us, busy_us, per_event_us;
	uint64_t events;

	record_exact(scene, "target_churn", (const char *const[]){beside("target_churn"), "-w", "-n", "100", NULL});
	idle_us = cpu_us(&scene->session.child.usage);
	events = record_exact(scene, "target_churn",
			      (const char *const[]){beside("target_churn"), "-w", "-r", format("%d", RATE), "-s",
						    format("%d", SECONDS), NULL});
	busy_us = cpu_us(&scene->session.child.usage);
	per_event_us = (busy_us - idle_us) / (double)events;
	/* Where a trap takes 5 us, the target cannot go as fast as it is asked to: that is no loss. */
	if (per_event_us > PER_EVENT_US_MAX)
		fail_msg("%.2f us of CPU time per event", per_event_us);
}

static void test_speed_eight_unpaced_threads_lose_nothing(void **state)
{
	uint64_t events = record_exact(*state, "target_threads", (const char *const[]){beside("target_threads"), NULL});

	assert_true(events >= 8 * 2 * 100000 - 256);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_speed_hundred_thousand_pairs_a_second_lose_nothing),
		TEST(test_speed_eight_unpaced_threads_lose_nothing),
	};

	return cmocka_run_group_tests_name("speed", tests, NULL, NULL);
}
