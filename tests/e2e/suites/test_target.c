/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which targets can be traced, and how many at once: the limits (docs/limits.md, heaptap(8)) that concern what a
 * target is.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/own_libc.h"
#include "e2e/kit/recording.h"

static void check_leak(struct scene *scene, const char *target, const char *way)
{
	recording_start(scene, (const char *const[]){beside(target), way, NULL});
	recording_end(scene);
	recording_assert_leak(scene, target);
	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){"-R", "1", "-f", "text,pprof", "--", beside(target), way, NULL}),
		0);
	recording_assert_leak(scene, target);
}

static void test_static_program_uses_its_own_allocator(void **state)
{
	check_leak(*state, "target_static", "malloc");
}

static void test_stripped_program_is_traced(void **state)
{
	check_leak(*state, "target_stripped", "posix_memalign");
}

static void check_no_allocator(struct scene *scene, const char *name)
{
	target_start(&scene->target, NULL, (const char *const[]){beside(name), NULL});
	target_ready(&scene->target);
	assert_int_equal(
		session_run(&scene->session, scene, (const char *const[]){"-p", format("%d", scene->target.pid), NULL}),
		4);
	session_assert_said(&scene->session, beside(name));
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

static void test_program_without_libc_is_4_and_lists_what_was_searched(void **state)
{
	check_no_allocator(*state, "target_bare");
}

/* As COMMAND: not every kernel runs such a program, but heaptap looks at its file before. */
static void test_program_of_32_bits_is_125_and_lists_what_was_searched(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(
		session_run(&scene->session, scene, (const char *const[]){"--", beside("target_bare32"), NULL}), 125);
	session_assert_said(&scene->session, format("(%s); looked for", beside("target_bare32")));
}

/* What the kernel refuses has nothing to be found out about. */
static void test_program_of_32_bits_is_4_where_the_kernel_runs_it(void **state)
{
	struct scene *scene = *state;

	if (child_can_run("target_bare32"))
		check_no_allocator(scene, "target_bare32");
}

static void test_go_program_is_4_and_lists_what_was_searched(void **state)
{
	check_no_allocator(*state, "target_go");
}

static void check_replaced(struct scene *scene, const char *change)
{
	own_libc_install(scene);
	target_start(&scene->target, NULL, own_libc_argv(scene));
	target_ready(&scene->target);
	if (system(format("cd '%s' && %s", scene->dir, change)))
		fail_msg("failed: %s", change);
	recording_begin(scene);
	recording_end(scene);
	recording_assert_leak(scene, "ld-linux-x86-64");
}

static void test_libc_deleted_since_start_is_traced(void **state)
{
	check_replaced(*state, "rm libc.so.6");
}

/* As a package upgrade does it: a new file of the same name takes the old one's place. */
static void test_libc_replaced_since_start_is_traced(void **state)
{
	check_replaced(*state, "cp libc.so.6 new && mv new libc.so.6");
}

static void test_executable_deleted_since_start_is_traced(void **state)
{
	check_replaced(*state, "rm program ld-linux-x86-64.so.2");
}

static void test_target_that_allocates_nothing_is_said(void **state)
{
	struct scene *scene = *state;

	recording_start(scene, (const char *const[]){beside("target_leak"), "idle", NULL});
	session_await(&scene->session, "has not called its allocator");
	session_await(&scene->session, "libc.so.6");
	session_signal(&scene->session, SIGINT);
	assert_int_equal(session_finish(&scene->session), 0);
}

/* More than PID-filtered links are made for: all are seen by an unfiltered one, and each has its own profile. */
static void check_many(struct scene *scene, int count)
{
	char pids[256] = "";
	cJSON *index;

	for (int i = 0; i < count; i++) {
		target_start(&scene->more[i], NULL, (const char *const[]){beside("target_leak"), "realloc", NULL});
		target_ready(&scene->more[i]);
		sprintf(pids + strlen(pids), "%s%d", i ? "," : "", scene->more[i].pid);
	}
	session_start(&scene->session, scene, (const char *const[]){"-R", "1", "-p", pids, NULL});
	session_attached(&scene->session);
	for (int i = 0; i < count; i++) {
		target_go(&scene->more[i]);
		assert_int_equal(target_finish(&scene->more[i]), 0);
	}
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	const cJSON *processes = cJSON_GetObjectItemCaseSensitive(index, "processes");
	assert_int_equal(cJSON_GetArraySize(processes), count);
	for (int i = 0; i < count; i++)
		assert_int_equal(index_number(cJSON_GetArrayItem(processes, i), "inuse_space"), 30000);
	cJSON_Delete(index);
}

static void test_two_processes_have_a_profile_each(void **state)
{
	check_many(*state, 2);
}

static void test_nine_processes_have_a_profile_each(void **state)
{
	check_many(*state, MORE_MAX);
}

/* Names that lie and files that are broken, mapped as code: they cost a name at most. */
static void test_hostile_mappings_do_no_harm(void **state)
{
	struct scene *scene = *state;
	const char *script = format(
		"cd '%s' && L=/lib/x86_64-linux-gnu/libc.so.6 && cp $L \"$(printf 'evil\\nname')\" && "
		"cp $L 'libc.so.6 (deleted)' && head -c 70000 /dev/urandom > noise && "
		"{ printf '\\177ELF\\002\\001\\001'; head -c 70000 /dev/urandom; } > 'magic only' && "
		"{ head -c 40 $L; printf '\\377\\377\\377\\377\\377\\377\\377\\177'; tail -c +49 $L; } > sections && "
		"{ head -c 56 $L; printf '\\377\\377\\377\\377\\377\\377\\377\\377'; tail -c +65 $L; } > counts && "
		"head -c 65536 $L > truncated && : > '[heap]'",
		scene->dir);
	const char *dir = scene->dir;

	if (system(script))
		fail_msg("failed: %s", script);
	recording_start(scene, (const char *const[]){beside("target_maps"), format("%s/evil\nname", dir),
						     format("%s/libc.so.6 (deleted)", dir), format("%s/noise", dir),
						     format("%s/magic only", dir), format("%s/sections", dir),
						     format("%s/counts", dir), format("%s/truncated", dir),
						     format("%s/[heap]", dir), NULL});
	/* The last of those that can be probed is, before the target may end. */
	target_go(&scene->target);
	session_await(&scene->session, format("%s/sections' ", dir));
	target_ready(&scene->target);
	recording_end(scene);
	assert_int_equal(recording_objects(scene, "target_maps", 1000).in_use, 20);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_static_program_uses_its_own_allocator),
		TEST(test_stripped_program_is_traced),
		TEST(test_program_without_libc_is_4_and_lists_what_was_searched),
		TEST(test_program_of_32_bits_is_125_and_lists_what_was_searched),
		TEST(test_program_of_32_bits_is_4_where_the_kernel_runs_it),
		TEST(test_go_program_is_4_and_lists_what_was_searched),
		TEST(test_libc_deleted_since_start_is_traced),
		TEST(test_libc_replaced_since_start_is_traced),
		TEST(test_executable_deleted_since_start_is_traced),
		TEST(test_target_that_allocates_nothing_is_said),
		TEST(test_two_processes_have_a_profile_each),
		TEST(test_nine_processes_have_a_profile_each),
		TEST(test_hostile_mappings_do_no_harm),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
