/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What cannot be seen is said: --alloc that finds nothing, programs that are over before they are probed, allocators that
 * nobody calls as far as heaptap can tell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/recording.h"

static void record(struct scene *scene, int status, const char *const *args)
{
	const char *all[16] = {"-R", "1", "-f", "text,pprof"};
	unsigned int count = 4;

	for (; *args; args++)
		all[count++] = *args;
	assert_int_equal(session_run(&scene->session, scene, all), status);
}

static char *doctor(const char *args)
{
	char *text = NULL;
	size_t size = 0;
	FILE *pipe = popen(format("'%s' doctor %s 2>&1", heaptap_path(), args), "re");

	if (!pipe || getdelim(&text, &size, '\0', pipe) < 0)
		fail_msg("doctor says nothing");
	pclose(pipe);
	return text;
}

/* --- --alloc -------------------------------------------------------------------------------------------------------- */

/* Nothing has run by then: the target would have written a file. */
static void refuse(struct scene *scene, const char *pool, const char *words)
{
	const char *ran = format("%s/ran", scene->dir);

	record(scene, 125,
	       (const char *const[]){"--alloc", pool, "--", "/bin/sh", "-c", format("touch '%s'", ran), NULL});
	session_assert_said(&scene->session, words);
	assert_int_equal(access(ran, F_OK), -1);
	assert_int_equal(access(scene->session.output, F_OK), -1);
}

static void test_alloc_of_a_function_that_is_not_there_is_refused(void **state)
{
	refuse(*state, "libc.so.6:mallocx(size=1)=ret,free(ptr=1)", "has no function 'mallocx' (nearest: malloc");
	refuse(*state, "libc.so.6:malloc(size=1)=ret,frei(ptr=1)", "has no function 'frei' (nearest: free");
}

static void test_alloc_of_a_file_that_is_not_there_is_refused(void **state)
{
	refuse(*state, "/nowhere/libpool.so:get(size=1)=ret", "/nowhere/libpool.so: there is no such file");
	refuse(*state, "/etc/passwd:get(size=1)=ret", "/etc/passwd: that is no x86-64 program or library");
	refuse(*state, "/proc/self/exe", "it has no malloc and free under these names");
}

/* It may be mapped later, so that is a warning; at the end it is known that it was not. */
static void test_alloc_of_a_file_that_nobody_maps_is_told(void **state)
{
	struct scene *scene = *state;

	record(scene, 0,
	       (const char *const[]){"--alloc", "libc.so.7:malloc(size=1)=ret", "--", beside("target_leak"), NULL});
	session_assert_said(&scene->session, "libc.so.7: no file of that name is mapped now (nearest: libc.so.6");
	session_assert_said(&scene->session, "libc.so.7: no process has mapped a file of that name");
}

static void test_alloc_of_a_function_is_refused_for_a_process_too(void **state)
{
	struct scene *scene = *state;

	target_start(&scene->target, NULL, (const char *const[]){beside("target_leak"), NULL});
	target_ready(&scene->target);
	record(scene, 2,
	       (const char *const[]){"--alloc", "target_leak:gett(size=1)=ret", "-p", format("%d", scene->target.pid),
				     NULL});
	session_assert_said(&scene->session, "has no function 'gett'");
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
}

/* The name that programs use for a library is not that of its file. */
static void test_alloc_doctor_tells_of_each_function(void **state)
{
	char *text = doctor(format("--alloc 'libcmocka.so.0:_test_malloc(size=1)=ret,_test_freee(ptr=1)' "
				   "--alloc 'libnowhere.so:get(size=1)=ret' -- %s",
				   beside("test_honesty")));

	(void)state;
	if (!strstr(text, "--alloc libcmocka.so.0: _test_malloc found, _test_freee not found (nearest: _test_free") ||
	    !strstr(text, "--alloc libnowhere.so: not mapped yet"))
		fail_msg("doctor says:\n%s", text);
	free(text);
}

/* --- over before it was probed -------------------------------------------------------------------------------------- */

/* In time or not, it is not said to be exact. */
static void test_program_behind_a_shell_is_not_exact(void **state)
{
	struct scene *scene = *state;
	cJSON *index;
	const cJSON *process;

	record(scene, 0,
	       (const char *const[]){"--follow", "--", "/bin/sh", "-c",
				     format("'%s' malloc; true", beside("target_static")), NULL});
	index = session_index(&scene->session);
	process = index_process(index, "target_static");
	if (!index_number(process, "ledger.files_late") && !index_number(process, "ledger.files_unseen"))
		fail_msg("nothing is missing:\n%s", cJSON_Print(process));
	cJSON_Delete(index);
}

/* What is said to help does: the file is probed before anybody maps it. */
static void test_program_behind_a_shell_is_exact_when_it_is_named(void **state)
{
	struct scene *scene = *state;
	cJSON *index;
	const cJSON *process;

	record(scene, 0,
	       (const char *const[]){"--follow", "--alloc", beside("target_static"), "--", "/bin/sh", "-c",
				     format("'%s' malloc; true", beside("target_static")), NULL});
	recording_assert_leak(scene, "target_static");
	index = session_index(&scene->session);
	process = index_process(index, "target_static");
	assert_int_equal(index_number(process, "ledger.files_late"), 0);
	assert_int_equal(index_number(process, "ledger.files_unseen"), 0);
	cJSON_Delete(index);
}

/* Code that a compiler makes while the program runs is in no file: nothing is missing. */
static void test_memory_without_a_file_hides_no_allocator(void **state)
{
	struct scene *scene = *state;
	cJSON *index;

	recording_start(scene, (const char *const[]){beside("target_jit"), NULL});
	recording_end(scene);
	index = session_index(&scene->session);
	assert_int_equal(index_number(index_process(index, "target_jit"), "ledger.files_unseen"), 0);
	cJSON_Delete(index);
	record(scene, 0, (const char *const[]){"--", beside("target_jit"), NULL});
	if (session_said(&scene->session, "was over before"))
		fail_msg("heaptap said:\n%s", scene->session.words);
	record(scene, 0, (const char *const[]){"--", beside("target_jit"), "memfd", NULL});
	if (session_said(&scene->session, "was over before"))
		fail_msg("heaptap said:\n%s", scene->session.words);
}

/* Its end and the end of the recording come together. */
static void test_short_command_was_probed(void **state)
{
	struct scene *scene = *state;

	for (int i = 0; i < 20; i++) {
		record(scene, 0, (const char *const[]){"--", "/bin/true", NULL});
		if (session_said(&scene->session, "was over before"))
			fail_msg("heaptap said:\n%s", scene->session.words);
	}
}

/* --- mallocs that are no allocator's -------------------------------------------------------------------------------- */

/* A wrapper has no memory of its own: what it hands on to is probed, and each call counts once (test_exact). */
static void test_wrapper_is_told_from_an_allocator(void **state)
{
	char *text;

	(void)state;
	setenv("LD_PRELOAD", beside("shim.so"), 1);
	text = doctor("-- /bin/true");
	unsetenv("LD_PRELOAD");
	if (!strstr(text, "shim.so' has a malloc that seems to hand its calls on") || strstr(text, "no known family"))
		fail_msg("doctor says:\n%s", text);
	free(text);
}

/* The runtimes that check memory ask for other mallocs as wrappers do, and have one of their own. */
static void test_sanitizer_is_an_allocator(void **state)
{
	struct scene *scene = *state;

	scene->session.environment[0] = "ASAN_OPTIONS=detect_leaks=0";
	record(scene, 0, (const char *const[]){"--", beside("target_checked"), "malloc", NULL});
	recording_assert_leak(scene, "target_checked");
}

/* Its realloc ends the old block by code of its own. */
static void test_arena_of_a_programs_own_is_exact(void **state)
{
	struct scene *scene = *state;

	record(scene, 0, (const char *const[]){"--", beside("target_arena"), NULL});
	assert_int_equal(recording_objects(scene, "target_arena", 100).in_use, 0);
	assert_int_equal(recording_objects(scene, "target_arena", 200).in_use, 0);
	assert_int_equal(recording_objects(scene, "target_arena", 300).allocated, 10);
	assert_int_equal(recording_objects(scene, "target_arena", 300).in_use, 5);
	session_assert_said(&scene->session, "= 1 500 B in 5 objects\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_alloc_of_a_function_that_is_not_there_is_refused),
		TEST(test_alloc_of_a_file_that_is_not_there_is_refused),
		TEST(test_alloc_of_a_file_that_nobody_maps_is_told),
		TEST(test_alloc_of_a_function_is_refused_for_a_process_too),
		TEST(test_alloc_doctor_tells_of_each_function),
		TEST(test_program_behind_a_shell_is_not_exact),
		TEST(test_program_behind_a_shell_is_exact_when_it_is_named),
		TEST(test_memory_without_a_file_hides_no_allocator),
		TEST(test_short_command_was_probed),
		TEST(test_wrapper_is_told_from_an_allocator),
		TEST(test_arena_of_a_programs_own_is_exact),
		TEST(test_sanitizer_is_an_allocator),
	};

	return cmocka_run_group_tests_name("honesty", tests, NULL, NULL);
}
