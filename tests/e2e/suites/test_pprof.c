/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `go tool pprof -top` reads both files in all four sample indexes, and its totals for .pb.gz and .txt
 * agree with each other and with index.json, to the object and byte; with the program at hand and without it.
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

#include "e2e/kit/pprof_client.h"

static const char *const measures[] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};

/*
 * `function` must appear by name: in the .pb.gz, whose names are heaptap's, and in the .txt, whose names pprof finds
 * itself, unless its own reader of debug information cannot (C++).
 */
static void check_files(struct scene *scene, const char *comm, const char *function, bool text_named)
{
	cJSON *index = session_index(&scene->session);
	const cJSON *process = index_process(index, comm);
	const char *const suffixes[] = {".pb.gz", ".txt"};

	for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++) {
		for (size_t j = 0; j < 2; j++) {
			char *top;

			assert_int_equal(pprof_total(scene, index_file(&scene->session, process, suffixes[j]),
						     measures[i], &top),
					 index_number(process, measures[i]));
			if (index_number(process, measures[i]) && (!j || text_named) && !strstr(top, function))
				fail_msg("%s is not in the %s of %s:\n%s", function, measures[i], suffixes[j], top);
			free(top);
		}
	}
	cJSON_Delete(index);
}

static void record(struct scene *scene, const char *interval, const char *const *command)
{
	const char *args[16] = {"-R", interval, "-f", "text,pprof", "--"};

	for (unsigned int i = 0; command[i]; i++)
		args[5 + i] = command[i];
	assert_int_equal(session_run(&scene->session, scene, args), 0);
}

static void test_pprof_exact_profile_is_read_to_the_byte(void **state)
{
	record(*state, "1", (const char *const[]){beside("target_cxx"), NULL});
	check_files(*state, "target_cxx", "use_scalars", false);
}

static void test_pprof_sampled_profile_is_read_to_the_byte(void **state)
{
	record(*state, "16K", (const char *const[]){beside("target_bias"), NULL});
	check_files(*state, "target_bias", "allocate_mixed", true);
}

static void test_pprof_profile_of_live_objects_alone_is_read(void **state)
{
	record(*state, "1", (const char *const[]){beside("target_exit"), "return", "0", NULL});
	check_files(*state, "target_exit", "keep_ten", true);
}

static void assert_top_names(const struct scene *scene, const char *arguments, const char *function)
{
	char *top = pprof_top(scene, format("-alloc_space %s", arguments));

	if (!strstr(top, "Type: alloc_space") || !strstr(top, function))
		fail_msg("no %s in pprof's answer to %s:\n%s", function, arguments, top);
	free(top);
}

/* With the program's path before the file's, without it, and when the program is no more: then only heaptap's own names
 * are left, which the .txt has for people alone. */
static void test_pprof_accepts_the_files_with_and_without_the_binary(void **state)
{
	static const char function[] = "allocate_mixed";
	struct scene *scene = *state;
	char program[PATH_MAX], files[2][PATH_MAX], *top;
	cJSON *index;

	snprintf(program, sizeof(program), "%.4000s/program", scene->dir);
	assert_int_equal(system(format("cp '%s' '%s'", beside("target_bias"), program)), 0);
	record(scene, "16K", (const char *const[]){program, NULL});
	index = session_index(&scene->session);
	strcpy(files[0], index_file(&scene->session, index_process(index, "program"), ".pb.gz"));
	strcpy(files[1], index_file(&scene->session, index_process(index, "program"), ".txt"));
	for (int i = 0; i < 2; i++) {
		assert_top_names(scene, format("'%s' '%s'", program, files[i]), function);
		assert_top_names(scene, format("'%s'", files[i]), function);
	}
	assert_int_equal(unlink(program), 0);
	assert_top_names(scene, format("'%s'", files[0]), function);
	assert_int_equal(pprof_total(scene, files[1], "alloc_space", &top),
			 index_number(index_process(index, "program"), "alloc_space"));
	free(top);
	cJSON_Delete(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pprof_exact_profile_is_read_to_the_byte),
		TEST(test_pprof_sampled_profile_is_read_to_the_byte),
		TEST(test_pprof_profile_of_live_objects_alone_is_read),
		TEST(test_pprof_accepts_the_files_with_and_without_the_binary),
	};

	return cmocka_run_group_tests_name("pprof", tests, NULL, NULL);
}
