/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPython's allocator of small objects, held against the interpreter's own account (tracemalloc): as many blocks of each size as are in
 * use, with every allocation a sample. Debian's python3, and that of Debian 13 beside it; both are stripped, and were built with PGO.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profile/profile.h"
#include "format/pprof_read.h"
#include "e2e/kit/interpreter.h"
#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"

#define SMALL_MAX   512
#define LIBRARIES   "usr/lib/x86_64-linux-gnu"
#define TURNED	    "Python's allocator is called for every object from now on"
#define ONLY_A_PART "only a part"

struct counts {
	u64 of[SMALL_MAX + 1];
};

static const char *program(void)
{
	return format("%s/tests/e2e/targets/python_objects.py", SOURCE_DIR);
}

static const char *truth_path(const struct scene *scene)
{
	return format("%s/truth", scene->dir);
}

/* The interpreter of Debian 13, by its own loader and libraries. */
static void start_unpacked(struct scene *scene)
{
	const char *root = beside("root_python");
	const char *const environment[] = {format("PYTHONHOME=%s/usr", root), NULL};

	target_start(&scene->target, environment,
		     (const char *const[]){format("%s/" LIBRARIES "/ld-linux-x86-64.so.2", root), "--library-path",
					   format("%s/" LIBRARIES, root), format("%s/usr/bin/python3.13", root), "-S",
					   program(), truth_path(scene), NULL});
}

static void start_debian(struct scene *scene)
{
	target_start(&scene->target, NULL, (const char *const[]){INTERPRETER, program(), truth_path(scene), NULL});
}

static void read_truth(const struct scene *scene, struct counts *ret_truth)
{
	FILE *file = fopen(truth_path(scene), "re");
	unsigned long long size, count;

	*ret_truth = (struct counts){0};
	assert_non_null(file);
	while (fscanf(file, "%llu %llu", &size, &count) == 2)
		if (size <= SMALL_MAX)
			ret_truth->of[size] = count;
	fclose(file);
}

static void read_profile(const struct session *session, struct counts *ret_counts)
{
	cJSON *index = session_index(session);
	const cJSON *process = cJSON_GetArrayItem(cJSON_GetObjectItem(index, "processes"), 0);
	struct profile *profile;

	*ret_counts = (struct counts){0};
	ledger_assert_balanced(process);
	assert_int_equal(pprof_read(index_file(session, process, ".pb.gz"), &profile), 0);
	for (u32 i = 0; i < profile->sample_count; i++)
		if (profile->samples[i].size <= SMALL_MAX)
			ret_counts->of[profile->samples[i].size] += profile->samples[i].inuse_count;
	profile_free(profile);
	cJSON_Delete(index);
}

/*
 * tracemalloc begins some calls after heaptap and ends some after it, which makes a few blocks' difference (11 seen). Blocks of its own tables,
 * one of 16 and one of 32 bytes or so for each that it knows, are malloc's, and not in its account.
 */
static void assert_equal(const struct counts *truth, const struct counts *seen)
{
	u64 all = 0, sizes = 0;
	s64 differing = 0;

	for (u64 size = 1; size <= SMALL_MAX; size++) {
		s64 difference = (s64)(seen->of[size] - truth->of[size]);

		all += truth->of[size];
		sizes += truth->of[size] > 0;
		/* Strings, bytes and byte arrays, which only the program makes in such sizes. */
		if (size >= 81 && size % 2)
			assert_int_equal(seen->of[size], truth->of[size]);
		if (size <= 32)
			assert_true(difference >= -10);
		else
			differing += difference < 0 ? -difference : difference;
	}
	print_message("%llu blocks of %llu sizes; of those over 32 bytes %lld differ\n", (unsigned long long)all,
		      (unsigned long long)sizes, (long long)differing);
	assert_true(all > 30000 && sizes > 400);
	assert_true(differing < 100);
}

static void attach(struct scene *scene)
{
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	/* On a busy machine the threads do not stop at the first try. */
	session_await(&scene->session, TURNED);
}

static void make_objects(struct scene *scene)
{
	target_go(&scene->target);
	target_await_words(&scene->target, "done");
}

static void stop(struct scene *scene)
{
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
}

static void write_truth(struct scene *scene)
{
	target_go(&scene->target);
	target_await_words(&scene->target, "written");
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

static void check(struct scene *scene)
{
	struct counts truth, seen;

	target_ready(&scene->target);
	attach(scene);
	make_objects(scene);
	stop(scene);
	write_truth(scene);
	read_truth(scene, &truth);
	read_profile(&scene->session, &seen);
	assert_equal(&truth, &seen);
}

static void test_python_equals_tracemalloc(void **state)
{
	start_debian(*state);
	check(*state);
}

static void test_python_of_debian_13_equals_tracemalloc(void **state)
{
	start_unpacked(*state);
	check(*state);
}

/* COMMAND is so from its first call on: whatever tracemalloc knows was seen. */
static void test_command_is_seen_from_its_first_call_on(void **state)
{
	struct scene *scene = *state;
	struct counts truth, seen;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "1", "--", INTERPRETER, "-X", "tracemalloc", program(),
							   truth_path(scene), "self", NULL}),
			 0);
	assert_false(session_said(&scene->session, ONLY_A_PART));
	read_truth(scene, &truth);
	read_profile(&scene->session, &seen);
	for (u64 size = 1; size <= SMALL_MAX; size++)
		if (seen.of[size] < truth.of[size])
			fail_msg("of %llu bytes: %llu blocks, known %llu", (unsigned long long)size,
				 (unsigned long long)seen.of[size], (unsigned long long)truth.of[size]);
}

/* While it is recorded, and not longer. */
static void test_tables_are_given_back(void **state)
{
	struct scene *scene = *state;
	u64 before[INTERPRETER_POINTERS], during[INTERPRETER_POINTERS], after[INTERPRETER_POINTERS];

	start_debian(scene);
	target_ready(&scene->target);
	interpreter_tables(scene->target.pid, before);
	attach(scene);
	interpreter_tables(scene->target.pid, during);
	stop(scene);
	interpreter_tables(scene->target.pid, after);
	assert_memory_equal(before, after, sizeof(before));
	for (u32 i = 0; i < INTERPRETER_POINTERS; i++)
		assert_true(before[i] != during[i]);
	make_objects(scene);
	write_truth(scene);
}

/* Killed, heaptap leaves a program that works, and the next recording sees all of it. */
static void test_program_outlives_heaptap_and_is_recorded_again(void **state)
{
	struct scene *scene = *state;

	start_debian(scene);
	target_ready(&scene->target);
	attach(scene);
	kill(scene->session.child.pid, SIGKILL);
	child_reap(&scene->session.child);
	session_start(&scene->second, scene,
		      (const char *const[]){"-R", "1", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->second);
	make_objects(scene);
	session_signal(&scene->second, SIGINT);
	assert_int_equal(session_finish(&scene->second), 0);
	write_truth(scene);
	{
		struct counts truth, seen;

		read_truth(scene, &truth);
		read_profile(&scene->second, &seen);
		assert_equal(&truth, &seen);
	}
}

static bool has_function(const struct profile *profile, const char *name)
{
	for (u32 i = 0; i < profile->location_count; i++)
		for (u32 j = 0; j < profile->locations[i].line_count; j++)
			if (strstr(profile->locations[i].lines[j].function, name))
				return true;
	return false;
}

/*
 * A child that begins as process 1 of a PID namespace: its perf map has that number. The tables come late there, which is said and
 * counted.
 */
static void test_child_in_a_pid_namespace_has_names(void **state)
{
	struct scene *scene = *state;
	const char *root = beside("root_python"), *loader = format("%s/" LIBRARIES "/ld-linux-x86-64.so.2", root);
	const char *gate = format("%s/gate", scene->dir);
	struct profile *profile;
	const cJSON *process;
	cJSON *index;

	scene->session.environment[0] = format("PYTHONHOME=%s/usr", root);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "64K", "--follow", "--plain-copies", "--keep", "8", "--", "unshare",
					    "-pf", loader, "--library-path", format("%s/" LIBRARIES, root),
					    format("%s/usr/bin/python3.13", root), "-S", "-X", "perf",
					    format("%s/tests/e2e/targets/python_frames.py", SOURCE_DIR), gate, NULL});
	session_await(&scene->session, ONLY_A_PART);
	close(open(gate, O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	process = index_process(index, "ld-linux-x86-64");
	assert_true(index_number(process, "ledger.files_late") >= 1);
	assert_int_equal(pprof_read(index_file(&scene->session, process, ".pb.gz"), &profile), 0);
	assert_true(has_function(profile, "py::make_leaf:"));
	assert_true(has_function(profile, "py::make_caller:"));
	profile_free(profile);
	cJSON_Delete(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_python_equals_tracemalloc),
		TEST(test_python_of_debian_13_equals_tracemalloc),
		TEST(test_command_is_seen_from_its_first_call_on),
		TEST(test_child_in_a_pid_namespace_has_names),
		TEST(test_tables_are_given_back),
		TEST(test_program_outlives_heaptap_and_is_recorded_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
