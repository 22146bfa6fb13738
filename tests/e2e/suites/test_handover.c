/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record --inline of a process that executes another program: that has probes first, and then the sampler. Each allocation is counted by one of the
 * two, each end is seen, and objects that the probes have sampled are told of by the sampler. All blocks are so large that each is a sample.
 */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/code.h"
#include "e2e/kit/injected.h"
#include "e2e/kit/ledger.h"
#include "e2e/kit/recording.h"
#include "e2e/kit/session.h"

#define FIRST_SIZE  200001
#define SECOND_SIZE 250001
#define NAME	    "target_ferry"

struct totals {
	unsigned long allocated, held;
};

static struct totals read_totals(const struct child *target)
{
	struct pollfd poll_fd = {.fd = target->out, .events = POLLIN};
	struct totals totals;
	char line[128];
	size_t length = 0;

	while (!length || line[length - 1] != '\n') {
		assert_int_equal(poll(&poll_fd, 1, DEADLINE_MS), 1);
		assert_true(length < sizeof(line) - 1);
		assert_int_equal(read(target->out, &line[length], 1), 1);
		length++;
	}
	line[length] = '\0';
	if (sscanf(line, "allocated %lu held %lu", &totals.allocated, &totals.held) != 2)
		fail_msg("the target said: %s", line);
	return totals;
}

#define LENT_S 4 /* in which heaptap tries more than once */

/* args: beside the process. how: what the target is to do besides, NULL: nothing. It has the sampler, executes itself, has it again, and works on for a while. */
static struct totals ferry(struct scene *scene, const char *threads, const char *how, const char *const *args)
{
	const char *all[16] = {"-R", "4096", "--inline", "-f", "text", "-p"};
	const char *has_it;
	size_t count = 6;
	struct totals totals;

	target_start(&scene->target, NULL, (const char *const[]){beside(NAME), threads, how, NULL});
	target_ready(&scene->target);
	all[count++] = format("%d", scene->target.pid);
	while (*args)
		all[count++] = *args++;
	has_it = format("pid %d: '/usr/lib/x86_64-linux-gnu/libc.so.6' has the sampler", scene->target.pid);
	session_start(&scene->session, scene, all);
	session_attached(&scene->session);
	session_assert_said(&scene->session, has_it);
	target_go(&scene->target);
	if (how) {
		sleep(LENT_S);
		target_go(&scene->target);
	}
	session_await_times(&scene->session, has_it, 2);
	target_go(&scene->target);
	totals = read_totals(&scene->target);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	/* Beside other load a thread may be too slow to stop: then it is said that the sampler stays. */
	if (code_changes(scene->target.pid, "/libc.so.6") && !session_said(&scene->session, "stays in it"))
		fail_msg("code of it stays changed; heaptap said:\n%s", scene->session.words);
	return totals;
}

/* Some of its samples were taken by probes, and some inside. */
static void check_ledger(const struct scene *scene)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *process = index_process(index, NAME);

	ledger_assert_balanced(process);
	assert_int_equal(index_number(process, "ledger.free_unseen"), 0);
	assert_int_equal(index_number(process, "ledger.refused"), 0);
	assert_true(index_number(process, "ledger.inline") > 0);
	assert_true(index_number(process, "ledger.inline") < index_number(process, "ledger.sampled"));
	cJSON_Delete(index);
}

static void assert_exact(const struct scene *scene, uint64_t size, uint64_t allocated, uint64_t in_use)
{
	struct tally_row row = recording_objects(scene, NAME, size);

	if (row.allocated != allocated || row.in_use != in_use)
		fail_msg("of size %lu: %lu allocated, %lu in use; right: %lu, %lu", (unsigned long)size,
			 (unsigned long)row.allocated, (unsigned long)row.in_use, (unsigned long)allocated,
			 (unsigned long)in_use);
}

/* Unfiltered probes are there from the first malloc on, since another process must have them. */
static void hand_over_all(struct scene *scene, const char *threads)
{
	static const char *const guarded[] = {"1", "guarded", "mallocs", NULL};
	struct injected other;
	struct totals totals;

	injected_start(&other, guarded);
	injected_await_held(&other);
	totals = ferry(scene, threads, NULL,
		       (const char *const[]){"--follow", "-p", format("%d", other.target.pid), NULL});
	check_ledger(scene);
	assert_exact(scene, FIRST_SIZE, totals.allocated, 0);
	assert_exact(scene, SECOND_SIZE, totals.allocated, totals.held);
	injected_check(&other);
	injected_release(&other);
}

static void test_handover_counts_each_call_once(void **state)
{
	hand_over_all(*state, "1");
}

static void test_handover_of_threads(void **state)
{
	hand_over_all(*state, "8");
}

/* Probes of its own are there once its allocator is mapped, so the first blocks may be missing. */
static void test_handover_from_filtered_probes(void **state)
{
	struct scene *scene = *state;
	struct totals totals = ferry(scene, "2", NULL, (const char *const[]){NULL});
	struct tally_row row = recording_objects(scene, NAME, SECOND_SIZE);

	check_ledger(scene);
	assert_int_equal(row.in_use, totals.held);
	assert_in_range(row.allocated, 2 * 200, totals.allocated);
}

/* If heaptap has not tried by then, the test says nothing; it fails only where one attempt in vain was the last. */
static void test_handover_waits_for_memory_that_is_lent(void **state)
{
	struct scene *scene = *state;
	struct totals totals = ferry(scene, "2", "lends", (const char *const[]){NULL});

	check_ledger(scene);
	assert_int_equal(recording_objects(scene, NAME, SECOND_SIZE).in_use, totals.held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_handover_counts_each_call_once, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_handover_of_threads, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_handover_from_filtered_probes, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_handover_waits_for_memory_that_is_lent, scene_setup,
						scene_teardown),
	};

	return cmocka_run_group_tests_name("handover", tests, NULL, NULL);
}
