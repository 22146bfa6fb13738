/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long heaptap rests between two drains, and what ends a rest: a preloaded library says it (shims/shim_rests.c). Where rests do not end by time,
 * what is served was served at once.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/session.h"
#include "trace/pace.h"

#define LOOK_US 2000 /* between two looks at what another process does: there is no event to wait for */

static void start(struct scene *scene, const char *rests)
{
	target_start(&scene->target, NULL, (const char *const[]){beside("target_steps"), NULL});
	target_ready(&scene->target);
	scene->session.environment[0] = format("LD_PRELOAD=%s", beside("shim_rests.so"));
	scene->session.environment[1] = format("HEAPTAP_SHIM_RESTS=%s", rests);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
}

static void stop(struct scene *scene)
{
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
}

static void await_rest(struct scene *scene, int rest_ms, unsigned int times)
{
	session_await_times(&scene->session, format("shim: rests %d ms\n", rest_ms), times);
}

static void test_rests_are_long_while_nothing_is_mapped_and_short_after(void **state)
{
	struct scene *scene = *state;

	start(scene, "timed");
	await_rest(scene, PACE_QUIET_MS, 1);
	target_take_steps(&scene->target, "m");
	await_rest(scene, PACE_QUIET_MS, 2);
	/* Between two long rests that are told apart there were others. */
	await_rest(scene, PACE_BRISK_MS, 1);
	stop(scene);
}

/* What is said of a file comes after the next rest. */
static void await_file(const char *path)
{
	uint64_t deadline = deadline_ns();

	while (access(path, F_OK)) {
		if (now_ns() > deadline)
			fail_msg("there is no %s", path);
		usleep(LOOK_US);
	}
}

static void test_profile_that_a_signal_asks_for_waits_for_no_rest(void **state)
{
	struct scene *scene = *state;

	start(scene, "endless");
	target_take_steps(&scene->target, "k");
	session_signal(&scene->session, SIGUSR1);
	await_file(format("%s/snapshots/0001/%d.target_steps.pb.gz", scene->session.output, scene->target.pid));
	stop(scene);
}

/* The kernel wakes heaptap at the half of what it keeps of mappings: however long the rest. */
static void test_mappings_end_a_rest_before_their_ring_is_full(void **state)
{
	struct scene *scene = *state;

	start(scene, "endless");
	/* A ring of a processor has 256 KiB, and a mapping takes over 100 bytes of it: 1 400 are its half. Each step makes 100. */
	for (long i = 0; i < 14 * sysconf(_SC_NPROCESSORS_CONF); i++)
		target_take_steps(&scene->target, "m");
	session_await(&scene->session, "shim: woken by the tracer\n");
	stop(scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rests_are_long_while_nothing_is_mapped_and_short_after),
		TEST(test_profile_that_a_signal_asks_for_waits_for_no_rest),
		TEST(test_mappings_end_a_rest_before_their_ring_is_full),
	};

	return cmocka_run_group_tests_name("rests", tests, NULL, NULL);
}
