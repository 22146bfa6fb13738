/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record --inline -- COMMAND does no harm where there is little room, or little is allowed: stacks that are hardly enough, signals at
 * any moment, what a program forbids itself, memory that runs out, exceptions through the C library. Each program watches over its
 * blocks, and does so without heaptap too.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/recording.h"
#include "e2e/kit/session.h"

static int run_alone(struct scene *scene, const char *program, const char *name)
{
	scene->target.pid = child_start(
		&(struct child_launch){(const char *const[]){beside(program), name, NULL}, NULL, -1, -1, -1, 0});
	return target_finish(&scene->target);
}

/* All samples, and at least so many, are taken inside, and the ledger of the process balances. */
static void check(struct scene *scene, const char *program, const char *name, uint64_t least)
{
	const cJSON *process;
	cJSON *index;

	assert_int_equal(run_alone(scene, program, name), 0);
	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "4096", "--inline", "-f", "text,pprof", "--",
							   beside(program), name, NULL}),
			 0);
	index = session_index(&scene->session);
	process = index_process(index, program);
	ledger_assert_clean(process);
	assert_true(index_number(process, "ledger.inline") >= least);
	assert_int_equal(index_number(process, "ledger.inline"), index_number(process, "ledger.sampled"));
	assert_int_equal(index_number(process, "ledger.failed"), 0);
	cJSON_Delete(index);
}

static void assert_objects(const struct scene *scene, const char *comm, uint64_t size, uint64_t allocated,
			   uint64_t in_use)
{
	struct tally_row row = recording_objects(scene, comm, size);

	if (row.allocated != allocated || row.in_use != in_use)
		fail_msg("of size %lu: %lu allocated, %lu in use", (unsigned long)size, (unsigned long)row.allocated,
			 (unsigned long)row.in_use);
}

/* --- stacks and signals --- */

static void test_inline_threads_with_the_least_stack(void **state)
{
	check(*state, "target_straits", "small-stacks", 100);
}

static void test_inline_coroutines_on_two_pages(void **state)
{
	check(*state, "target_straits", "coroutines", 100);
}

static void test_inline_signals_at_any_moment(void **state)
{
	check(*state, "target_straits", "signals", 100);
}

static void test_inline_signals_on_an_alternate_stack(void **state)
{
	check(*state, "target_straits", "signals-elsewhere", 100);
}

static void test_inline_handlers_that_allocate_above(void **state)
{
	check(*state, "target_altstack", NULL, 1);
}

static void test_inline_handlers_that_allocate_below(void **state)
{
	check(*state, "target_altstack", "below", 1);
}

/* --- what is forbidden --- */

static void test_inline_program_that_kills_itself_at_madvise(void **state)
{
	check(*state, "target_straits", "no-madvise", 100);
}

static void test_inline_program_that_forbids_itself_the_time(void **state)
{
	check(*state, "target_straits", "no-time", 100);
}

static void test_inline_program_that_forbids_itself_system_calls(void **state)
{
	check(*state, "target_straits", "no-system-calls", 100);
}

/* --- memory --- */

static void test_inline_program_that_is_locked_in_memory(void **state)
{
	check(*state, "target_straits", "locked", 100);
}

static void test_inline_program_that_runs_out_of_memory(void **state)
{
	check(*state, "target_straits", "exhausted", 100);
}

/* Whichever way the sites are attached: the block that realloc could not resize is told to have ended, and to live on. */
static void check_refused(struct scene *scene, const char *rung)
{
	scene->session.environment[0] = format("HEAPTAP_ATTACH=%s", rung);
	check(scene, "target_straits", "refused", 3);
	assert_objects(scene, "target_straits", 200001, 1, 0);
	assert_objects(scene, "target_straits", 200002, 1, 0);
	assert_objects(scene, "target_straits", 200003, 1, 1);
}

static void test_inline_realloc_that_fails_by_session(void **state)
{
	check_refused(*state, "session");
}

static void test_inline_realloc_that_fails_by_multi(void **state)
{
	check_refused(*state, "multi");
}

static void test_inline_realloc_that_fails_by_perf(void **state)
{
	check_refused(*state, "perf");
}

/* --- exceptions --- */

static void test_inline_exceptions_pass_the_c_library(void **state)
{
	check(*state, "target_sorted", NULL, 50); /* those that are so large that each is sampled */
	assert_objects(*state, "target_sorted", 300001, 50, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inline_threads_with_the_least_stack),
		TEST(test_inline_coroutines_on_two_pages),
		TEST(test_inline_signals_at_any_moment),
		TEST(test_inline_signals_on_an_alternate_stack),
		TEST(test_inline_handlers_that_allocate_above),
		TEST(test_inline_handlers_that_allocate_below),
		TEST(test_inline_program_that_kills_itself_at_madvise),
		TEST(test_inline_program_that_forbids_itself_the_time),
		TEST(test_inline_program_that_forbids_itself_system_calls),
		TEST(test_inline_program_that_is_locked_in_memory),
		TEST(test_inline_program_that_runs_out_of_memory),
		TEST(test_inline_realloc_that_fails_by_session),
		TEST(test_inline_realloc_that_fails_by_multi),
		TEST(test_inline_realloc_that_fails_by_perf),
		TEST(test_inline_exceptions_pass_the_c_library),
	};

	return cmocka_run_group_tests_name("inline_straits", tests, NULL, NULL);
}
