/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record --inline -- COMMAND: samples taken by code in COMMAND's own processes. test_sampling and test_matrix hold them against
 * the law and against each function of each allocator; here are threads, forks, exceptions, and what happens when heaptap
 * goes; test_inline_programs has real programs. Statistical bounds are 5.5 standard errors: outside by chance once in 26 million.
 */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"
#include "e2e/shims/truth_log.h"

#define INTERVAL 4096
#define ERRORS	 5.5
#define POOL	 "target_registers:pool_get(size=1)=ret,pool_grow(ptr=1,size=2)=ret,pool_put(ptr=1)"

struct expected {
	double samples, variance;
};

static void expect(struct expected *expected, double size)
{
	double p = -expm1(-size / INTERVAL);

	expected->samples += p;
	expected->variance += p * (1 - p);
}

static void assert_law(const struct expected *expected, double samples)
{
	if (fabs(samples - expected->samples) > ERRORS * sqrt(expected->variance))
		fail_msg("%.0f samples, expected %.1f +- %.1f", samples, expected->samples, sqrt(expected->variance));
}

static int record(struct scene *scene, const char *option, const char *const *command)
{
	const char *args[40] = {"-R", "4096", "--inline"};
	unsigned int count = 3;

	if (option)
		args[count++] = option;
	args[count++] = "--";
	for (; *command && count < 39; command++)
		args[count++] = *command;
	return session_run(&scene->session, scene, args);
}

static void assert_all_inline(const cJSON *process)
{
	ledger_assert_clean(process);
	assert_int_equal(index_number(process, "ledger.inline"), index_number(process, "ledger.sampled"));
	assert_int_equal(index_number(process, "ledger.table_full"), 0);
}

/* What target_threads' eight threads ask for, by its own arithmetic. */
static struct expected expect_threads(void)
{
	struct expected expected = {0};

	for (uint32_t thread = 0; thread < 8; thread++) {
		uint32_t random = thread * 2654435761u + 1;

		for (int i = 0; i < 100000; i++) {
			random = random * 1664525u + 1013904223u;
			expect(&expected, 8 + (random >> 16 & 127));
		}
	}
	return expected;
}

static void test_inline_threads_that_free_each_others_blocks(void **state)
{
	struct expected expected = expect_threads();
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	assert_int_equal(record(scene, NULL, (const char *const[]){beside("target_threads"), NULL}), 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_threads");
	assert_all_inline(process);
	assert_law(&expected, (double)index_number(process, "ledger.sampled"));
	assert_int_equal(index_number(process, "ledger.inherited"), 0);
	assert_int_equal(index_number(process, "ledger.free_unseen"), 0);
	cJSON_Delete(index);
}

static void test_inline_forked_children_sample_independently(void **state)
{
	struct expected expected = {0};
	struct scene *scene = *state;
	const cJSON *process, *processes;
	double samples = 0;
	cJSON *index;

	for (int i = 0; i < 1000; i++)
		expect(&expected, 400);
	assert_int_equal(record(scene, "--follow", (const char *const[]){beside("target_litter"), NULL}), 0);
	index = session_index(&scene->session);
	processes = cJSON_GetObjectItem(index, "processes");
	cJSON_ArrayForEach (process, processes) {
		if (!strcmp(cJSON_GetObjectItem(process, "comm")->valuestring, "litter_child"))
			samples += (double)index_number(process, "ledger.inline");
	}
	assert_law(&expected, samples);
	cJSON_Delete(index);
}

/* Asked for far too much, and for a little when there is no more: the exception passes the sampler's frame. */
static void check_throw(struct scene *scene, const char *preload)
{
	const cJSON *process;
	cJSON *index;

	scene->session.environment[0] = preload ? format("LD_PRELOAD=%s", preload) : NULL;
	assert_int_equal(record(scene, NULL, (const char *const[]){beside("target_new"), NULL}), 0);
	index = session_index(&scene->session);
	process = index_process(index, "target_new");
	ledger_assert_balanced(process);
	assert_true(index_number(process, "ledger.inline") > 1000);
	assert_int_equal(index_number(process, "ledger.inline"), index_number(process, "ledger.sampled"));
	cJSON_Delete(index);
}

static void test_inline_new_that_throws_in_glibc(void **state)
{
	check_throw(*state, NULL);
}

static void test_inline_new_that_throws_in_jemalloc(void **state)
{
	check_throw(*state, "libjemalloc.so");
}

static void test_inline_new_that_throws_in_tcmalloc(void **state)
{
	check_throw(*state, "libtcmalloc.so");
}

/* As target_registers asks its pool: for each of 300 000 blocks, and for more when that grows. */
static struct expected expect_pool(void)
{
	struct expected expected = {0};

	for (int i = 0; i < 300000; i++) {
		expect(&expected, 16 + i % 100);
		expect(&expected, 200 + i % 100);
	}
	return expected;
}

static void record_pool(struct scene *scene)
{
	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "4096", "--inline", "--alloc", POOL, "--",
							   beside("target_registers"), NULL}),
			 0);
}

/* Its compiler knows which registers the pool leaves alone; it checks what it keeps in them. The C library's samples are few. */
static void test_inline_pool_of_the_program(void **state)
{
	struct expected expected = expect_pool();
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	record_pool(scene);
	index = session_index(&scene->session);
	process = index_process(index, "target_registers");
	assert_all_inline(process);
	assert_law(&expected, (double)index_number(process, "ledger.sampled"));
	assert_int_equal(index_number(process, "ledger.free_unseen"), 0);
	cJSON_Delete(index);
}

/*
 * The kernel itself loads these, and old ones have their own idea of segments without bytes in the file. Each allocates in its own
 * allocator, which is linked in.
 */
static void test_inline_static_programs(void **state)
{
	static const char *const programs[] = {"target_matrix_glibc_static", "target_matrix_musl_static"};
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++) {
		const cJSON *process;
		cJSON *index;

		scene->session.environment[0] = format("%s=%s%zu", TRUTH_VARIABLE, scene->truth, i);
		scene->session.environment[1] = "MATRIX_MORE=165000";
		assert_int_equal(record(scene, NULL, (const char *const[]){beside(programs[i]), NULL}), 0);
		index = session_index(&scene->session);
		process = index_process(index, programs[i]);
		ledger_assert_balanced(process);
		assert_true(index_number(process, "ledger.inline") > 100);
		assert_int_equal(index_number(process, "ledger.inline"), index_number(process, "ledger.sampled"));
		cJSON_Delete(index);
	}
}

/* The program with the sampler behind its pool takes 38 MiB, libc 2; both would be sampled inside. */
static void record_with_limit(struct scene *scene, rlim_t bytes)
{
	struct rlimit before, limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = (struct rlimit){.rlim_cur = bytes, .rlim_max = before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	record_pool(scene);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
}

static void test_inline_file_that_is_too_large_with_the_sampler(void **state)
{
	struct scene *scene = *state;

	record_with_limit(scene, 16 << 20);
	session_assert_said(&scene->session, "with the sampler it is larger than heaptap may write");
	session_assert_said(&scene->session, "1 of these files has the sampler");
}

static void test_inline_file_that_is_too_large_to_be_copied(void **state)
{
	struct scene *scene = *state;

	record_with_limit(scene, 1 << 20);
	session_assert_said(&scene->session, "is not copied");
	session_assert_said(&scene->session, "use copies of their allocators' files (1)");
}

static void test_inline_every_allocation_is_left_to_probes(void **state)
{
	struct scene *scene = *state;
	const cJSON *process;
	cJSON *index;

	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){"-R", "1", "--inline", "--", beside("target_leak"), "malloc", NULL}),
		0);
	session_assert_said(&scene->session, "--inline is left out");
	index = session_index(&scene->session);
	process = index_process(index, "target_leak");
	assert_int_equal(index_number(process, "ledger.inline"), 0);
	assert_int_equal(index_number(process, "inuse_space"), 30000);
	cJSON_Delete(index);
}

/* Samples of COMMAND with its children at an interval of `bytes`, and how many of them were taken inside. */
static void count_followed(struct scene *scene, const char *bytes, const char *option, uint64_t *ret_samples,
			   uint64_t *ret_inline)
{
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", bytes, "--follow", option, "--",
							   beside("target_threads"), NULL}),
			 0);
	index = session_index(&scene->session);
	*ret_samples = index_number(index_process(index, "target_threads"), "ledger.sampled");
	*ret_inline = index_number(index_process(index, "target_threads"), "ledger.inline");
	cJSON_Delete(index);
}

static void test_inline_is_how_a_followed_command_is_sampled(void **state)
{
	struct scene *scene = *state;
	uint64_t samples, inlined;

	count_followed(scene, "4096", "--no-new", &samples, &inlined);
	assert_true(inlined > 0);
	assert_int_equal(inlined, samples);
	count_followed(scene, "4096", "--plain-copies", &samples, &inlined);
	assert_true(samples > 0);
	assert_int_equal(inlined, 0);
	count_followed(scene, "4095", "--no-new", &samples, &inlined);
	assert_true(samples > 0);
	assert_int_equal(inlined, 0);
	assert_false(session_said(&scene->session, "--inline"));
}

/* --- heaptap goes --- */

/* The sites are plain instructions again, and the target runs to its end. */
static void test_inline_target_outlives_a_killed_heaptap(void **state)
{
	struct scene *scene = *state;
	uint64_t until_ns = deadline_ns();

	session_start(&scene->session, scene,
		      (const char *const[]){
			      "-R", "4096", "--inline", "--follow", "--", "/bin/sh", "-c",
			      format("'%s' && echo ended well >'%s/end'", beside("target_threads"), scene->dir), NULL});
	session_await(&scene->session, "heaptap: ");
	session_signal(&scene->session, SIGKILL);
	assert_int_equal(session_finish(&scene->session), 128 + SIGKILL);
	while (access(format("%s/end", scene->dir), F_OK) && now_ns() < until_ns)
		usleep(10000);
	assert_int_equal(access(format("%s/end", scene->dir), F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inline_threads_that_free_each_others_blocks),
		TEST(test_inline_forked_children_sample_independently),
		TEST(test_inline_new_that_throws_in_glibc),
		TEST(test_inline_new_that_throws_in_jemalloc),
		TEST(test_inline_new_that_throws_in_tcmalloc),
		TEST(test_inline_pool_of_the_program),
		TEST(test_inline_static_programs),
		TEST(test_inline_file_that_is_too_large_with_the_sampler),
		TEST(test_inline_file_that_is_too_large_to_be_copied),
		TEST(test_inline_every_allocation_is_left_to_probes),
		TEST(test_inline_is_how_a_followed_command_is_sampled),
		TEST(test_inline_target_outlives_a_killed_heaptap),
	};

	return cmocka_run_group_tests_name("inline", tests, NULL, NULL);
}
