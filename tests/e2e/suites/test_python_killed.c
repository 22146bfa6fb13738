/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * heaptap is killed at every point at which a running Python is in its hands: between any two of the pointers that it writes into the tables
 * of the interpreter's allocator, at the beginning and at the end of a recording, and while threads stand still for that. Python works on, and
 * the next recording takes what it finds for what it is, and gives the tables back.
 *
 * The heaptap that is killed is this program itself, started with "die", a point and heaptap's command line: the code is the same, but for the
 * hook of system/interruption.h.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "cli/options.h"
#include "cli/process_argument.h"
#include "e2e/kit/interpreter.h"
#include "e2e/kit/session.h"
#include "record/record.h"
#include "system/interruption.h"
#include "trace/libbpf_log.h"
#include "trace/link_keeper.h"

#define DIE	 "die"
#define POINTS	 "points passed: "
#define SEEN_ALL "Python's allocator is called for every object from now on"

/* Each pointer is a point of its own, on the way in and back. */
#define POINTS_MIN (2 * INTERPRETER_POINTERS)

/* --- the heaptap that is killed --- */

static int points, last_point;

/* What stops a recording waits until it has begun. */
static void count_point(void)
{
	if (!points++)
		kill(getpid(), SIGINT);
	if (points == last_point)
		kill(getpid(), SIGKILL);
}

static int record_until(int point, int argc, char **argv)
{
	struct options options;
	int status;

	last_point = point;
	interruption_hook = count_point;
	libbpf_log_take();
	status = options_parse(argc, argv, &options);
	if (status)
		return status;
	log_level(options.verbosity);
	status = process_argument_resolve(&options);
	status = status ? status : record_run(&options.record);
	fprintf(stderr, POINTS "%d\n", points);
	link_keeper_stop();
	options_release(&options);
	return status;
}

/* --- the test --- */

/* It makes objects of all sizes, changes, frees and checks them, whenever it is let go. */
static const char work[] = "import os, sys\n"
			   "while True:\n"
			   "    os.write(1, b'r')\n"
			   "    if not os.read(0, 1): break\n"
			   "    kept = {i: [bytes([i % 251]) * (i % 700), str(i)] for i in range(3000)}\n"
			   "    for i in range(0, 3000, 3): kept[i] = [bytes([i % 251]) * (i % 700), str(i)]\n"
			   "    for i in range(0, 3000, 7): kept[i][0] += b'x' * 300\n"
			   "    for i, (text, name) in kept.items():\n"
			   "        want = bytes([i % 251]) * (i % 700) + (b'' if i % 7 else b'x' * 300)\n"
			   "        if text != want or name != str(i): os._exit(3)\n"
			   "    del kept\n"
			   "os._exit(0)\n";

static void start_working(struct scene *scene, u64 ret_tables[INTERPRETER_POINTERS])
{
	target_start(&scene->target, NULL, (const char *const[]){INTERPRETER, "-c", work, NULL});
	target_ready(&scene->target);
	interpreter_tables(scene->target.pid, ret_tables);
}

static void finish_working(struct scene *scene)
{
	close(scene->target.in);
	scene->target.in = -1;
	assert_int_equal(target_finish(&scene->target), 0);
}

static void work_once(struct scene *scene)
{
	target_go(&scene->target);
	target_ready(&scene->target);
}

/* As many as there are on the way in and back; on a busy machine the threads may not have stopped in time, which says nothing of the next try. */
static bool was_whole(const struct session *session)
{
	const char *passed = strstr(session->words, POINTS);

	if (!passed)
		fail_msg("heaptap did not come to its end:\n%s", session->words);
	return atoi(passed + strlen(POINTS)) >= POINTS_MIN;
}

/* False: it came to its end before the point. */
static bool record_and_kill(struct scene *scene, int point)
{
	do {
		const char *const wrapper[] = {beside("test_python_killed"), DIE, format("%d", point), NULL};

		scene->session.wrapper = wrapper;
		session_start(&scene->session, scene,
			      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
		if (session_finish(&scene->session) == 128 + SIGKILL)
			return true;
	} while (!was_whole(&scene->session));
	return false;
}

/* Its tables are as they were, and meanwhile all objects were seen; `whole`: it finds all pointers changed. */
static void record_again(struct scene *scene, const u64 original[INTERPRETER_POINTERS], bool whole)
{
	u64 during[INTERPRETER_POINTERS], after[INTERPRETER_POINTERS];

	session_start(&scene->second, scene,
		      (const char *const[]){"-R", "64K", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->second);
	if (!whole)
		session_await(&scene->second, SEEN_ALL);
	work_once(scene);
	interpreter_tables(scene->target.pid, during);
	session_signal(&scene->second, SIGINT);
	assert_int_equal(session_finish(&scene->second), 0);
	interpreter_tables(scene->target.pid, after);
	assert_memory_equal(after, original, sizeof(after));
	for (u32 i = 0; i < INTERPRETER_POINTERS; i++)
		assert_true(during[i] != original[i]);
	work_once(scene);
}

/* With --inline it has no use for the tables, and gives back what it finds at once. */
static void test_python_is_given_back_what_is_left_where_samples_alone_trap(void **state)
{
	struct scene *scene = *state;
	u64 original[INTERPRETER_POINTERS], after[INTERPRETER_POINTERS];

	start_working(scene, original);
	assert_true(record_and_kill(scene, POINTS_MIN / 2));
	interpreter_tables(scene->target.pid, after);
	assert_memory_not_equal(after, original, sizeof(after));
	session_start(&scene->second, scene,
		      (const char *const[]){"--inline", "-p", format("%d", scene->target.pid), NULL});
	session_await(&scene->second, "Python's tables are as they were");
	interpreter_tables(scene->target.pid, after);
	assert_memory_equal(after, original, sizeof(after));
	work_once(scene);
	session_signal(&scene->second, SIGINT);
	assert_int_equal(session_finish(&scene->second), 0);
	finish_working(scene);
}

static void clean(const struct scene *scene, const char *says)
{
	FILE *pipe = popen(format("exec '%s' doctor --clean -p %d 2>&1", heaptap_path(), scene->target.pid), "re");
	char *text = NULL;
	size_t size = 0;

	if (!pipe || getdelim(&text, &size, '\0', pipe) < 0)
		fail_msg("doctor --clean: no output");
	assert_int_equal(pclose(pipe), 0);
	if (!strstr(text, says))
		fail_msg("no \"%s\" in:\n%s", says, text);
	free(text);
}

static void test_python_is_given_back_by_doctor_what_is_left(void **state)
{
	struct scene *scene = *state;
	u64 original[INTERPRETER_POINTERS], after[INTERPRETER_POINTERS];

	start_working(scene, original);
	clean(scene, "  none in 1 process\n");
	assert_true(record_and_kill(scene, POINTS_MIN / 2));
	clean(scene, "given back to 1 process, the first is ");
	interpreter_tables(scene->target.pid, after);
	assert_memory_equal(after, original, sizeof(after));
	clean(scene, "  none in 1 process\n");
	work_once(scene);
	finish_working(scene);
}

/* What a recording that goes on has changed is its own. */
static void test_python_keeps_before_doctor_what_a_recording_uses(void **state)
{
	struct scene *scene = *state;
	u64 original[INTERPRETER_POINTERS], during[INTERPRETER_POINTERS], after[INTERPRETER_POINTERS];

	start_working(scene, original);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "64K", "-p", format("%d", scene->target.pid), NULL});
	session_await(&scene->session, SEEN_ALL);
	interpreter_tables(scene->target.pid, during);
	clean(scene, "those of 1 process stay, as a recording uses them now\n");
	interpreter_tables(scene->target.pid, after);
	assert_memory_equal(after, during, sizeof(after));
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
	interpreter_tables(scene->target.pid, after);
	assert_memory_equal(after, original, sizeof(after));
	finish_working(scene);
}

static void test_python_is_unharmed_wherever_heaptap_is_killed(void **state)
{
	struct scene *scene = *state;
	u64 original[INTERPRETER_POINTERS], left[INTERPRETER_POINTERS];
	unsigned int kinds[INTERPRETER_POINTERS + 1] = {0};
	int point;

	start_working(scene, original);
	for (point = 1; record_and_kill(scene, point); point++) {
		unsigned int changed = 0;

		work_once(scene);
		interpreter_tables(scene->target.pid, left);
		for (u32 i = 0; i < INTERPRETER_POINTERS; i++)
			changed += left[i] != original[i];
		kinds[changed]++;
		record_again(scene, original, changed == INTERPRETER_POINTERS);
	}
	print_message("killed at %d points\n", point - 1);
	assert_true(point > POINTS_MIN);
	/* All on the way in; on the way back threads may have to be stopped more than once, which adds points. */
	for (unsigned int changed = 1; changed < INTERPRETER_POINTERS; changed++)
		assert_true(kinds[changed] >= 1);
	finish_working(scene);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_python_is_given_back_what_is_left_where_samples_alone_trap),
		TEST(test_python_is_given_back_by_doctor_what_is_left),
		TEST(test_python_keeps_before_doctor_what_a_recording_uses),
		TEST(test_python_is_unharmed_wherever_heaptap_is_killed),
	};

	/* ... die POINT heaptap record ... */
	if (argc > 4 && !strcmp(argv[1], DIE))
		return record_until(atoi(argv[2]), argc - 3, argv + 3);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
