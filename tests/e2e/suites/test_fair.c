/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring that is not read: once one process has flooded it, another, which allocates now and then, loses nothing; and children that come
 * and go meanwhile are counted.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/child.h"
#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"

#define PAIRS	 500
#define CHILDREN 1024

static void churn(struct child *target, const char *const *options)
{
	const char *argv[16] = {beside("target_churn"), "-w"};

	for (unsigned int i = 0; options[i]; i++)
		argv[i + 2] = options[i];
	target_start(target, NULL, argv);
	target_ready(target);
}

static void test_fair_flooded_ring_the_modest_process_loses_nothing(void **state)
{
	struct scene *scene = *state;
	struct child flood = {.in = -1, .out = -1};
	const cJSON *modest, *flooding;
	cJSON *index;

	churn(&flood, (const char *const[]){"-t", "4", "-n", "50000", NULL});
	churn(&scene->target, (const char *const[]){"-n", format("%d", PAIRS), "-r", "1000", "-z", "4321", NULL});
	scene->session.environment[0] = "HEAPTAP_RING_BYTES=1048576";
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d,%d", flood.pid, scene->target.pid), NULL});
	session_attached(&scene->session);
	/* The ring is not read: only what is left free for others is free. */
	session_signal(&scene->session, SIGSTOP);
	target_go(&flood);
	target_ready(&flood);
	target_go(&scene->target);
	target_ready(&scene->target);
	session_signal(&scene->session, SIGCONT);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	flooding = index_process_of(index, flood.pid);
	modest = index_process_of(index, scene->target.pid);
	ledger_assert_balanced(flooding);
	ledger_assert_balanced(modest);
	assert_true(index_number(flooding, "ledger.lost_ring") > 0);
	assert_int_equal(index_number(modest, "ledger.lost_ring"), 0);
	assert_true(index_number(modest, "ledger.sampled") >= PAIRS);
	cJSON_Delete(index);
	child_release(&flood);
}

static void test_fair_flooded_ring_each_child_is_known_or_missing(void **state)
{
	struct scene *scene = *state;
	uint64_t known, missing;
	cJSON *index;

	target_start(&scene->target, NULL,
		     (const char *const[]){beside("target_totals"), "forks", format("%d", CHILDREN), NULL});
	target_ready(&scene->target);
	scene->session.environment[0] = "HEAPTAP_RING_BYTES=1048576";
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "--follow", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	session_signal(&scene->session, SIGSTOP);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	session_signal(&scene->session, SIGCONT);
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	known = index_number(index, "ended.processes");
	missing = index_number(index, "processes_missing");
	assert_true(missing > 0);
	assert_int_equal(known + missing, CHILDREN + 1);
	assert_int_equal(index_number(index, "processes_refused"), 0);
	cJSON_Delete(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fair_flooded_ring_the_modest_process_loses_nothing, scene_setup,
						scene_teardown),
		cmocka_unit_test_setup_teardown(test_fair_flooded_ring_each_child_is_known_or_missing, scene_setup,
						scene_teardown),
	};

	return cmocka_run_group_tests_name("fair", tests, NULL, NULL);
}
