/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stacks taken before their tables or mapping lists are ready: whole, or counted; never lost, never wrong.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/kit/text_chain.h"

#define LIBRARIES_MAX 250
#define LIBRARIES_MIN 100

/* Programs that the tests need anyway, so that what is loaded does not depend on what else is installed. */
#define PROGRAMS                                                                                                       \
	"/usr/lib/chromium/chromium /usr/bin/gdb /usr/bin/gm /usr/bin/node /usr/bin/php /usr/bin/git /usr/bin/curl /usr/bin/clang"

static uint64_t counted_short(const cJSON *process)
{
	static const char *const ends[] = {"truncated", "too_deep",   "no_mapping", "no_rule",
					   "no_table",	"unreadable", "stuck"};
	uint64_t sum = index_number(process, "ledger.stack_cut") + index_number(process, "ledger.stack_stale");

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sum += index_number(process, format("ledger.stack_%s", ends[i]));
	return sum;
}

/* The libraries of all of these programs, each once; their names are never freed. */
static size_t list_libraries(const char *ret_libraries[LIBRARIES_MAX])
{
	FILE *pipe = popen("ldd " PROGRAMS " | sed -n 's/.* => \\(\\/[^ ]*\\) .*/\\1/p' | sort -u", "re");
	size_t count = 0;
	char path[PATH_MAX];

	assert_non_null(pipe);
	while (count < LIBRARIES_MAX && fscanf(pipe, "%4095s", path) == 1)
		ret_libraries[count++] = strdup(path);
	pclose(pipe);
	return count;
}

static void test_attach_to_many_libraries_loses_and_cuts_nothing(void **state)
{
	static const char *const chain[] = {"keep_one", "keep_one", "keep_one", "keep_one",
					    "keep_one", "keep_one", "main",	NULL};
	const char *argv[LIBRARIES_MAX + 2] = {beside("target_tables")};
	struct scene *scene = *state;
	struct text_verdict verdict;
	const cJSON *process;
	cJSON *index;

	assert_true(list_libraries(argv + 1) >= LIBRARIES_MIN);
	target_start(&scene->target, NULL, argv);
	target_ready(&scene->target);
	session_start(&scene->session, scene,
		      (const char *const[]){"-R", "1", "-f", "text", "-p", format("%d", scene->target.pid), NULL});
	session_attached(&scene->session);
	target_go(&scene->target);
	assert_int_equal(target_finish(&scene->target), 0);
	assert_int_equal(session_finish(&scene->session), 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_tables");
	ledger_assert_clean(process);
	assert_int_equal(counted_short(process), 0);
	verdict = text_chain_judge(index_file(&scene->session, process, ".txt"), 3000, chain);
	print_message("%lu stacks sent raw\n", index_number(process, "ledger.stack_raw"));
	assert_int_equal(verdict.right, 1000);
	assert_int_equal(verdict.cut + verdict.wrong, 0);
	cJSON_Delete(index);
}

/*
 * Programs that are over before heaptap has their mappings: those that it has not met are asked of the kernel. Bytes are sent only while
 * the tables of perl's files are made, in its first runs, which are more on a busy machine: those of the second half of the time are
 * counted. Before, a tenth to a fifth of all stacks travelled so.
 */
static void test_short_programs_send_few_stacks_as_bytes(void **state)
{
	static const char loop[] = "for i in $(seq 100); do /usr/bin/perl -e 1; done";
	struct scene *scene = *state;
	uint64_t sampled = 0, raw = 0, middle_ns;
	const cJSON *process;
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"--follow", "--plain-copies", "-R", "4K", "--", "/bin/sh",
							   "-c", loop, NULL}),
			 0);
	index = session_index(&scene->session);
	middle_ns = index_number(index, "start_unix_ns") + index_number(index, "duration_ns") / 2;
	cJSON_ArrayForEach (process, cJSON_GetObjectItemCaseSensitive(index, "processes")) {
		ledger_assert_clean(process);
		assert_int_equal(counted_short(process), 0);
		if (index_number(process, "start_unix_ns") < middle_ns)
			continue;
		sampled += index_number(process, "ledger.sampled");
		raw += index_number(process, "ledger.stack_raw");
	}
	print_message("%lu of %lu stacks sent raw\n", raw, sampled);
	assert_true(sampled > 500);
	assert_true(raw * 20 < sampled);
	cJSON_Delete(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_attach_to_many_libraries_loses_and_cuts_nothing),
		TEST(test_short_programs_send_few_stacks_as_bytes),
	};

	return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
