/* SPDX-License-Identifier: GPL-2.0-or-later */
/* record --inline -p PID: samples taken by code that was brought into a process that runs. */
#include <math.h>
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
#include "e2e/kit/processor_group.h"
#include "e2e/kit/session.h"

#define INTERVAL 4096

static void start_recording(struct session *session, const struct scene *scene, const struct injected *injected)
{
	session_start(session, scene,
		      (const char *const[]){"-R", "4096", "--inline", "-p", format("%d", injected->target.pid), NULL});
	session_attached(session);
}

static void stop_recording(struct session *session)
{
	session_signal(session, SIGINT);
	assert_int_equal(session_finish(session), 0);
	if (session_said(session, "stays in it"))
		fail_msg("the sampler was not taken out:\n%s", session->words);
}

static void assert_unchanged(const struct injected *injected)
{
	assert_int_equal(code_changes(injected->target.pid, "/libc.so.6"), 0);
	injected_check(injected);
}

/* |z| at most 6: a false alarm once in 500 million. */
static void test_inject_law(void **state)
{
	static const char *const words[] = {"1", "counted", NULL};
	const double p = -expm1(-(double)PATIENT_BYTES / INTERVAL), expected = 1e6 * p;
	struct scene *scene = *state;
	struct injected injected;
	const cJSON *process;
	cJSON *index;
	double sampled;

	injected_start(&injected, words);
	start_recording(&scene->session, scene, &injected);
	session_assert_said(&scene->session, "has the sampler");
	injected.page->release = 1;
	while (injected.page->allocations < 1000000)
		usleep(1000);
	stop_recording(&scene->session);
	index = session_index(&scene->session);
	process = index_process(index, "target_patient");
	ledger_assert_clean(process);
	sampled = (double)index_number(process, "ledger.sampled");
	assert_true(sampled == (double)index_number(process, "ledger.inline"));
	assert_true(sampled == (double)index_number(process, "ledger.freed"));
	if (fabs(sampled - expected) > 6 * sqrt(expected * (1 - p)))
		fail_msg("%.0f samples, expected %.0f", sampled, expected);
	cJSON_Delete(index);
	assert_unchanged(&injected);
	injected_release(&injected);
}

static void test_inject_again_and_again(void **state)
{
	static const char *const words[] = {"4", "mallocs", "state", "signals", "forks", NULL};
	struct scene *scene = *state;
	struct injected injected;

	injected_start(&injected, words);
	for (int i = 0; i < 5; i++) {
		cJSON *index;

		start_recording(&scene->session, scene, &injected);
		injected_check(&injected);
		stop_recording(&scene->session);
		index = session_index(&scene->session);
		ledger_assert_balanced(index_process(index, "target_patient"));
		assert_true(index_number(index_process(index, "target_patient"), "ledger.inline") > 0);
		cJSON_Delete(index);
		assert_unchanged(&injected);
	}
	injected_release(&injected);
}

static void test_inject_leaves_alone(void **state)
{
	static const char *const words[] = {"1", "guarded", "mallocs", NULL};
	struct scene *scene = *state;
	struct injected injected;
	cJSON *index;

	injected_start(&injected, words);
	injected_await_held(&injected);
	start_recording(&scene->session, scene, &injected);
	session_assert_said(&scene->session, "keeps probes, whose every hit traps: a seccomp filter");
	injected_check(&injected);
	stop_recording(&scene->session);
	index = session_index(&scene->session);
	assert_true(index_number(index_process(index, "target_patient"), "ledger.sampled") > 0);
	assert_int_equal(index_number(index_process(index, "target_patient"), "ledger.inline"), 0);
	cJSON_Delete(index);
	injected_release(&injected);
}

/* Another heaptap, whose probes are set after the jumps, or before them, and are taken out first, or last. */
static void test_inject_beside_probes(void **state)
{
	static const char *const words[] = {"3", "mallocs", "state", NULL};
	struct scene *scene = *state;
	const char *const *plain;
	struct injected injected;

	injected_start(&injected, words);
	plain = (const char *const[]){"-R", "4096", "-p", format("%d", injected.target.pid), NULL};
	for (int probes_first = 0; probes_first < 2; probes_first++) {
		if (probes_first) {
			session_start(&scene->second, scene, plain);
			session_attached(&scene->second);
		}
		start_recording(&scene->session, scene, &injected);
		session_assert_said(&scene->session, "has the sampler");
		injected_check(&injected);
		if (!probes_first) {
			session_start(&scene->second, scene, plain);
			session_attached(&scene->second);
		}
		injected_check(&injected);
		stop_recording(&scene->session);
		injected_check(&injected);
		stop_recording(&scene->second);
		assert_unchanged(&injected);
	}
	injected_release(&injected);
}

static void test_inject_killed(void **state)
{
	static const char *const words[] = {"3", "mallocs", "state", NULL};
	struct scene *scene = *state;
	struct injected injected;

	injected_start(&injected, words);
	start_recording(&scene->session, scene, &injected);
	injected_check(&injected);
	session_signal(&scene->session, SIGKILL);
	assert_int_equal(session_finish(&scene->session), 128 + SIGKILL);
	injected_check(&injected);
	assert_true(code_changes(injected.target.pid, "/libc.so.6") > 0);
	start_recording(&scene->second, scene, &injected);
	session_assert_said(&scene->second, "has the sampler of an earlier heaptap");
	injected_check(&injected);
	stop_recording(&scene->second);
	assert_unchanged(&injected);
	injected_release(&injected);
}

/*
 * A thread that does not stop in time because others have the processors stops the next time, or the time after that. Taking the code out
 * again is left to a machine that has time: heaptap does not wait for ever at its end, and says what stays.
 */
static void test_inject_on_a_busy_machine(void **state)
{
	static const char *const words[] = {"2", "mallocs", NULL};
	struct scene *scene = *state;
	struct injected injected;
	struct group group;

	injected_start(&injected, words);
	if (!processor_group_make(&group, 100000, 1000000)) {
		group_remove(&group);
		injected_release(&injected);
		print_message("no control group with a limit on processor time can be made here\n");
		skip();
	}
	processor_group_add(&group, injected.target.pid);
	start_recording(&scene->session, scene, &injected);
	session_assert_said(&scene->session, "has the sampler");
	processor_group_drop(&group, injected.target.pid);
	group_remove(&group);
	stop_recording(&scene->session);
	assert_unchanged(&injected);
	injected_release(&injected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_inject_law, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_inject_again_and_again, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_inject_leaves_alone, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_inject_beside_probes, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_inject_killed, scene_setup, scene_teardown),
		cmocka_unit_test_setup_teardown(test_inject_on_a_busy_machine, scene_setup, scene_teardown),
	};

	return cmocka_run_group_tests_name("inject", tests, NULL, NULL);
}
