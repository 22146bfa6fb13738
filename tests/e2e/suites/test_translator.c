/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that do not survive a breakpoint. Under valgrind it is translated like any instruction: heaptap refuses to trace
 * them, and to put unfiltered probes into a file that one maps; they live on. Programs that move their own code are named.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>

#include "e2e/kit/examination.h"

static void start_translated(struct child *child)
{
	target_start(child, NULL,
		     (const char *const[]){"/usr/bin/valgrind", "-q", "--tool=none", beside("target_leak"), NULL});
	target_ready(child);
}

static void live_on(struct child *child)
{
	target_go(child);
	assert_int_equal(target_finish(child), 0);
}

static void test_target_under_valgrind_is_refused(void **state)
{
	struct scene *scene = ((struct stage *)*state)->scene;

	start_translated(&scene->target);
	assert_int_equal(
		session_run(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->target.pid), NULL}),
		STATUS_TARGET);
	session_assert_said(&scene->session, format("pid %d runs under valgrind", scene->target.pid));
	live_on(&scene->target);
}

static void test_member_under_valgrind_is_refused(void **state)
{
	struct stage *stage = *state;
	struct scene *scene = stage->scene;

	start_translated(&scene->target);
	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"--follow", "-p", format("%d", scene->target.pid), NULL}),
			 STATUS_TARGET);
	session_assert_said(&scene->session, format("pid %d (", scene->target.pid));
	live_on(&scene->target);
}

/* Another one is traced, by unfiltered probes in the libc that both map. */
static void test_bystander_under_valgrind_is_spared(void **state)
{
	struct scene *scene = ((struct stage *)*state)->scene;
	const char *pid;

	start_translated(&scene->target);
	target_start(&scene->more[0], NULL, (const char *const[]){beside("target_leak"), NULL});
	target_ready(&scene->more[0]);
	pid = format("%d", scene->more[0].pid);
	assert_int_equal(session_run(&scene->session, scene, (const char *const[]){"--follow", "-p", pid, NULL}),
			 STATUS_TARGET);
	session_assert_said(&scene->session, format("pid %d (", scene->target.pid));
	session_assert_said(&scene->session, "runs under valgrind and maps it");
	live_on(&scene->target);
	live_on(&scene->more[0]);
}

/* Filtered probes are for one process: who runs beside it does not matter. */
static void test_filtered_probes_beside_valgrind_are_no_harm(void **state)
{
	struct scene *scene = ((struct stage *)*state)->scene;

	start_translated(&scene->target);
	target_start(&scene->more[0], NULL, (const char *const[]){beside("target_leak"), NULL});
	target_ready(&scene->more[0]);
	session_start(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->more[0].pid), NULL});
	session_attached(&scene->session);
	live_on(&scene->target);
	live_on(&scene->more[0]);
	assert_int_equal(session_finish(&scene->session), 0);
}

/* Attached and detached while it waits, in a call that it has translated already. */
static void test_harm_translators_probes_all_the_same(void **state)
{
	struct scene *scene = ((struct stage *)*state)->scene;

	start_translated(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"--harm-translators", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	live_on(&scene->target);
}

static void test_command_that_is_valgrind_is_refused(void **state)
{
	struct scene *scene = ((struct stage *)*state)->scene;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"--", "valgrind", "-q", "--tool=none", "/bin/true", NULL}),
			 125);
	session_assert_said(&scene->session, "is valgrind, which would translate");
}

/* One of two, and only when it is traced already: what was seen is written, but it is not all. */
static void test_target_that_comes_under_valgrind_fails_the_recording(void **state)
{
	struct scene *scene = ((struct stage *)*state)->scene;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_leak"), NULL});
	target_ready(&scene->target);
	target_start(&scene->more[0], NULL,
		     (const char *const[]){"/bin/sh", "-c",
					   "printf r; head -c 1; exec valgrind -q --tool=none /bin/true", NULL});
	target_ready(&scene->more[0]);
	session_start(&scene->session, scene,
		      (const char *const[]){"-p", format("%d,%d", scene->target.pid, scene->more[0].pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->more[0]);
	session_await(&scene->session, format("pid %d has come under valgrind", scene->more[0].pid));
	live_on(&scene->target);
	assert_int_equal(session_finish(&scene->session), 1);
	cJSON_Delete(session_index(&scene->session));
}

static void test_doctor_lists_who_runs_under_valgrind(void **state)
{
	struct stage *stage = *state;
	struct scene *scene = stage->scene;

	start_translated(&scene->target);
	target_start(&scene->more[0], NULL, (const char *const[]){beside("target_leak"), NULL});
	target_ready(&scene->more[0]);
	examine(stage, "", format("-p %d", scene->target.pid), STATUS_TARGET);
	assert_said(stage, "it runs under valgrind");
	examine(stage, "", format("-p %d", scene->more[0].pid), 0);
	assert_said(stage, format("  %d (", scene->target.pid));
	assert_said(stage, "under valgrind: not affected");
	examine(stage, "", format("--follow -p %d", scene->more[0].pid), STATUS_TARGET);
	assert_said(stage, "record refuses to probe it");
	examine(stage, "", format("--harm-translators --follow -p %d", scene->more[0].pid), 0);
	live_on(&scene->target);
}

/* What has been moved cannot be mended, but it can be said before. */
static void test_program_that_can_move_its_code_is_named(void **state)
{
	struct stage *stage = *state;
	struct scene *scene = stage->scene;

	assert_int_equal(
		session_run(&scene->session, scene, (const char *const[]){"--", beside("target_moving"), NULL}), 0);
	session_assert_said(&scene->session, "can move its code to huge pages ('RegionToLargePages')");
	examine(stage, "", format("-- '%s'", beside("target_moving")), 0);
	assert_said(stage, "it can move its code to huge pages");
	examine(stage, "", format("-- '%s'", beside("target_static")), 0);
	assert_null(strstr(stage->text, "it can move its code"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, stage_setup, stage_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_target_under_valgrind_is_refused),
		TEST(test_member_under_valgrind_is_refused),
		TEST(test_bystander_under_valgrind_is_spared),
		TEST(test_filtered_probes_beside_valgrind_are_no_harm),
		TEST(test_harm_translators_probes_all_the_same),
		TEST(test_command_that_is_valgrind_is_refused),
		TEST(test_target_that_comes_under_valgrind_fails_the_recording),
		TEST(test_doctor_lists_who_runs_under_valgrind),
		TEST(test_program_that_can_move_its_code_is_named),
	};

	return cmocka_run_group_tests_name("translator", tests, NULL, NULL);
}
