/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens when targets end, are not there, or become another program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/recording.h"

static void test_pid_that_does_not_exist_is_4(void **state)
{
	struct scene *scene = *state;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	assert_int_equal(session_run(&scene->session, scene, (const char *const[]){"-p", format("%d", pid), NULL}), 4);
	session_assert_said(&scene->session, format("%d", pid));
}

/* The end falls anywhere in the attaching: too early to trace it is 4, otherwise what was seen is written. */
static void test_pid_that_exits_during_attach_is_said(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 5; i++) {
		uint64_t until_ns = now_ns() + (uint64_t)i * 8000000;
		int status;

		target_start(&scene->target, NULL, (const char *const[]){beside("target_leak"), "malloc", NULL});
		target_ready(&scene->target);
		session_start(&scene->session, scene,
			      (const char *const[]){"-p", format("%d", scene->target.pid), NULL});
		while (now_ns() < until_ns)
			;
		target_go(&scene->target);
		assert_int_equal(target_finish(&scene->target), 0);
		status = session_finish(&scene->session);
		if (status != 0 && status != 4)
			fail_msg("status %d; heaptap said:\n%s", status, scene->session.words);
		assert_true(scene->session.words_length > 0);
		if (!status)
			cJSON_Delete(session_index(&scene->session));
	}
}

static void test_main_thread_exited_before_attach_is_traced(void **state)
{
	struct scene *scene = *state;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_exit"), "leader-exit", NULL});
	target_ready(&scene->target);
	target_go(&scene->target);
	target_ready(&scene->target);
	target_await_leader_gone(&scene->target);
	recording_begin(scene);
	recording_end(scene);
	assert_int_equal(recording_objects(scene, "target_exit", 1001).in_use, 10);
}

static void test_main_thread_exits_while_traced_is_followed(void **state)
{
	struct scene *scene = *state;

	recording_start(scene, (const char *const[]){beside("target_exit"), "leader-exit", NULL});
	target_go(&scene->target);
	target_ready(&scene->target);
	session_await(&scene->session, "main thread");
	recording_end(scene);
	assert_int_equal(recording_objects(scene, "target_exit", 1000).in_use, 10);
	assert_int_equal(recording_objects(scene, "target_exit", 1001).in_use, 10);
}

/* The kernel ends the main thread first, as a rule; nobody runs on, and no other process is to pay for a moment. */
static void test_threaded_program_that_ends_is_not_taken_for_one_that_runs_on(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 5; i++) {
		recording_start(scene, (const char *const[]){beside("target_exit"), "threads", NULL});
		recording_end(scene);
		if (session_said(&scene->session, "main thread"))
			fail_msg("heaptap said:\n%s", scene->session.words);
		assert_int_equal(recording_objects(scene, "target_exit", 1000).in_use, 10);
	}
}

static void test_exec_from_another_thread_is_followed(void **state)
{
	struct scene *scene = *state;

	recording_start(scene, (const char *const[]){beside("target_exit"), "exec-thread", beside("target_leak"),
						     "malloc", NULL});
	target_go(&scene->target);
	target_ready(&scene->target);
	session_await(&scene->session, "followed by unfiltered probes");
	recording_end(scene);
	assert_int_equal(recording_objects(scene, "target_exit", 1000).in_use, 10);
	recording_assert_leak(scene, "target_leak");
}

static void test_exec_begins_a_new_image(void **state)
{
	struct scene *scene = *state;

	recording_start(scene,
			(const char *const[]){beside("target_exit"), "exec", beside("target_leak"), "calloc", NULL});
	target_go(&scene->target);
	target_ready(&scene->target);
	recording_end(scene);
	assert_int_equal(recording_objects(scene, "target_exit", 1000).in_use, 10);
	recording_assert_leak(scene, "target_leak");
}

static void test_fork_children_are_counted_and_not_traced(void **state)
{
	struct scene *scene = *state;
	cJSON *index;

	recording_start(scene, (const char *const[]){beside("target_exit"), "fork", "3", NULL});
	recording_end(scene);
	index = session_index(&scene->session);
	assert_int_equal(index_number(index_process(index, "target_exit"), "ledger.children"), 3);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(index, "processes")), 1);
	cJSON_Delete(index);
	assert_int_equal(recording_objects(scene, "target_exit", 1000).in_use, 10);
	assert_int_equal(recording_objects(scene, "target_exit", 1002).allocated, 0);
	session_assert_said(&scene->session, "not traced");
}

static void check_end(struct scene *scene, const char *way)
{
	recording_start(scene, (const char *const[]){beside("target_exit"), way, NULL});
	target_go(&scene->target);
	target_finish(&scene->target);
	assert_int_equal(session_finish(&scene->session), 0);
	assert_int_equal(recording_objects(scene, "target_exit", 1000).in_use, 10);
}

static void test_target_that_aborts_leaves_a_complete_profile(void **state)
{
	check_end(*state, "abort");
}

static void test_target_that_is_killed_leaves_a_complete_profile(void **state)
{
	check_end(*state, "kill");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pid_that_does_not_exist_is_4),
		TEST(test_pid_that_exits_during_attach_is_said),
		TEST(test_main_thread_exited_before_attach_is_traced),
		TEST(test_main_thread_exits_while_traced_is_followed),
		TEST(test_threaded_program_that_ends_is_not_taken_for_one_that_runs_on),
		TEST(test_exec_from_another_thread_is_followed),
		TEST(test_exec_begins_a_new_image),
		TEST(test_fork_children_are_counted_and_not_traced),
		TEST(test_target_that_aborts_leaves_a_complete_profile),
		TEST(test_target_that_is_killed_leaves_a_complete_profile),
	};

	return cmocka_run_group_tests_name("target_change", tests, NULL, NULL);
}
