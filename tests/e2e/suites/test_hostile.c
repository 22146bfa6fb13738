/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a process may do to the names of its code: libraries under names that the lines of /proc/PID/maps can be misread
 * by, another file in a library's place, a perf map of another user. Every name shown is that of the code that ran.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_chain.h"

static const char *const original[] = {"original_keeps", "keep", "main", NULL};
static const char *const impostor[] = {"impostor_keeps", "keep", "main", NULL};

static void attach(struct scene *scene)
{
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-f", "text", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
}

static void finish(struct scene *scene)
{
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
}

/* All ten blocks of the library of that number are kept by that chain. */
static void assert_kept_by(struct scene *scene, const char *comm, uint64_t number, const char *const *chain)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *process = index_process(index, comm);
	struct text_verdict verdict;

	ledger_assert_clean(process);
	verdict = text_chain_judge(index_file(&scene->session, process, ".txt"), 1000 + number, chain);
	if (verdict.right != 10 || verdict.cut || verdict.wrong)
		fail_msg("%s, block %lu: %lu right, %lu cut, %lu wrong; heaptap said:\n%s", chain[0], number,
			 verdict.right, verdict.cut, verdict.wrong, scene->session.words);
	cJSON_Delete(index);
}

static void copy_library(const char *name, const char *to)
{
	const char *const argv[] = {"/bin/cp", beside(name), to, NULL};
	struct child copy = {.pid = child_start(&(struct child_launch){.argv = argv, .in = -1, .out = -1, .err = -1})};

	assert_int_equal(target_finish(&copy), 0);
}

/* As a package upgrade does it: under another name first. */
static void put_impostor(struct scene *scene, const char *path)
{
	const char *new = format("%s/new", scene->dir);

	copy_library("library_impostor.so", new);
	assert_int_equal(rename(new, path), 0);
}

/* --- names --- */

static void test_library_names_with_blanks_and_newlines_are_their_files(void **state)
{
	static const char *const names[] = {"two  blanks.so", " blank first.so",  "blank last ",
					    "line\nfeed.so",  "line feed last\n", "taken.so (deleted)",
					    "[heap]",	      "\\012.so",	  "\t\v\x7f\xff"};
	enum {
		COUNT = sizeof(names) / sizeof(*names)
	};
	const char *argv[COUNT + 2] = {NULL};
	char paths[COUNT][PATH_MAX];
	struct scene *scene = *state;

	for (size_t i = 0; i < COUNT; i++) {
		snprintf(paths[i], sizeof(paths[i]), "%s", format("%s/%s", scene->dir, names[i]));
		argv[1 + i] = paths[i];
		copy_library("library_original.so", argv[1 + i]);
	}
	/* What the name of the one would be, were it deleted. */
	copy_library("library_impostor.so", format("%s/taken.so", scene->dir));
	argv[0] = beside("target_libraries");
	target_start(&scene->target, NULL, argv);
	target_ready(&scene->target);
	attach(scene);
	for (size_t i = 1; i < COUNT; i++) {
		target_go(&scene->target);
		target_ready(&scene->target);
	}
	target_go(&scene->target);
	finish(scene);
	for (size_t i = 0; i < COUNT; i++)
		assert_kept_by(scene, "target_libraries", 1 + i, original);
}

/* --- another file in its place --- */

static void test_library_replaced_before_attach_keeps_its_own_names(void **state)
{
	struct scene *scene = *state;
	const char *library = format("%s/library.so", scene->dir);

	copy_library("library_original.so", library);
	target_start(&scene->target, NULL, (const char *const[]){beside("target_libraries"), library, NULL});
	target_ready(&scene->target);
	put_impostor(scene, library);
	attach(scene);
	target_go(&scene->target);
	finish(scene);
	assert_kept_by(scene, "target_libraries", 1, original);
}

/* The name that the kernel gives for both files is the same, but for its " (deleted)". */
static void test_library_replaced_while_traced_and_loaded_again_both_keep_their_names(void **state)
{
	struct scene *scene = *state;
	const char *library = format("%s/library.so", scene->dir), *again = format("%s/./library.so", scene->dir);

	copy_library("library_original.so", library);
	target_start(&scene->target, NULL, (const char *const[]){beside("target_libraries"), library, again, NULL});
	target_ready(&scene->target);
	attach(scene);
	put_impostor(scene, library);
	target_go(&scene->target);
	target_ready(&scene->target);
	target_go(&scene->target);
	finish(scene);
	assert_kept_by(scene, "target_libraries", 1, original);
	assert_kept_by(scene, "target_libraries", 2, impostor);
}

/* Wherever the kernel shows the name of such a file, it marks it as deleted. */
static void test_program_deleted_before_it_ran_has_its_name(void **state)
{
	struct scene *scene = *state;
	const char *program = format("%s/program", scene->dir);
	const cJSON *process;
	cJSON *index;

	copy_library("target_leak", program);
	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){"-R", "1", "--", "/bin/sh", "-c",
						  "exec 9<$0; rm $0; exec /proc/self/fd/9 malloc", program, NULL}),
		0);
	index = session_index(&scene->session);
	process = index_process(index, "9");
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(process, "exe")), program);
	assert_int_equal(index_number(process, "inuse_space"), 30000);
	cJSON_Delete(index);
}

/* --- perf maps --- */

static char perf_map[64];

/* The target's own perf map, given to that user before its code runs. */
static void run_jit(struct scene *scene, uid_t owner)
{
	target_start(&scene->target, NULL, (const char *const[]){beside("target_jit"), "named", NULL});
	snprintf(perf_map, sizeof(perf_map), "/tmp/perf-%d.map", scene->target.pid);
	target_ready(&scene->target);
	assert_int_equal(chown(perf_map, owner, owner), 0);
	attach(scene);
	target_go(&scene->target);
	finish(scene);
}

static int teardown_jit(void **state)
{
	unlink(perf_map);
	return scene_teardown(state);
}

static void test_perf_map_of_its_own_names_made_code(void **state)
{
	static const char *const chain[] = {"made_while_running", "main", NULL};

	run_jit(*state, 0);
	assert_kept_by(*state, "target_jit", 1, chain);
}

static void test_perf_map_of_somebody_else_names_nothing_and_is_said(void **state)
{
	static const char *const chain[] = {"", "main", NULL};
	struct scene *scene = *state;

	run_jit(scene, 1);
	assert_kept_by(scene, "target_jit", 1, chain);
	session_assert_said(&scene->session, "another user");
}

#define TEST(name)     cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
#define JIT_TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, teardown_jit)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_library_names_with_blanks_and_newlines_are_their_files),
		TEST(test_library_replaced_before_attach_keeps_its_own_names),
		TEST(test_library_replaced_while_traced_and_loaded_again_both_keep_their_names),
		TEST(test_program_deleted_before_it_ran_has_its_name),
		JIT_TEST(test_perf_map_of_its_own_names_made_code),
		JIT_TEST(test_perf_map_of_somebody_else_names_nothing_and_is_said),
	};

	return cmocka_run_group_tests_name("hostile", tests, NULL, NULL);
}
