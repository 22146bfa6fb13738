/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real client reads both files: `go tool pprof -top` in all four sample indexes, and its totals for .pb.gz and .txt
 * agree with each other and with index.json, to the object and byte.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "session.h"

static const char *const measures[] = {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"};

/* The total as pprof states it: "Showing nodes accounting for X, P% of TOTAL total". *ret_top: everything it printed.
 */
static uint64_t pprof_total(const struct scene *scene, const char *path, const char *measure, char **ret_top)
{
	const char *unit = strstr(measure, "space") ? "B" : "count";
	const char *command =
		format("PPROF_TMPDIR='%s' go tool pprof -top -nodecount=10000 -nodefraction=0 -sample_index=%s "
		       "-unit=%s '%s' 2>&1",
		       scene->dir, measure, unit, path);
	FILE *pipe = popen(command, "re");
	uint64_t total = 0;
	char *top = NULL, *at;
	size_t size = 0;

	if (!pipe || getdelim(&top, &size, '\0', pipe) < 0)
		fail_msg("%s: no output", command);
	if (WEXITSTATUS(pclose(pipe)))
		fail_msg("%s:\n%s", command, top);
	at = strstr(top, "% of ");
	if (!at || sscanf(at, "%% of %" SCNu64, &total) != 1 || !strstr(top, format("Type: %s", measure)))
		fail_msg("%s: no total:\n%s", command, top);
	*ret_top = top;
	return total;
}

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pprof_exact_profile_is_read_to_the_byte),
		TEST(test_pprof_sampled_profile_is_read_to_the_byte),
		TEST(test_pprof_profile_of_live_objects_alone_is_read),
	};

	return cmocka_run_group_tests_name("pprof", tests, NULL, NULL);
}
