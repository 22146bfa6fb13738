/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is sampled inside is what probes see. Programs of Debian's that do the same at each run are recorded by probes, every call of
 * theirs, and again inside: samples and estimates must be those that the law lets expect of the first run. Children of every kind
 * are held against their own arithmetic. All within 6 standard errors: a sum of 1000 samples and more is outside less than once in
 * 10^7 times (Bernstein's inequality). What differs from run to run, some 500 bytes of python's 12 million, is no hundredth of one.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile/profile.h"
#include "format/pprof_read.h"
#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"

#define INTERVAL 4096
#define ERRORS	 6
#define CHILDREN 150

/* For samples, and for estimates of bytes. */
struct expected {
	double samples, samples_variance, allocated, allocated_variance, in_use, in_use_variance;
};

static void expect(struct expected *expected, double size, double allocated, double in_use)
{
	double p = -expm1(-size / INTERVAL), variance = size * size * (1 - p) / p;

	expected->samples += allocated * p;
	expected->samples_variance += allocated * p * (1 - p);
	expected->allocated += allocated * size;
	expected->in_use += in_use * size;
	expected->allocated_variance += size > 0 ? allocated * variance : 0;
	expected->in_use_variance += size > 0 ? in_use * variance : 0;
}

static void assert_near(const char *what, double found, double expected, double variance)
{
	if (fabs(found - expected) > ERRORS * sqrt(variance))
		fail_msg("%s: %.0f, expected %.0f +- %.0f (%.1f standard errors)", what, found, expected,
			 sqrt(variance), (found - expected) / sqrt(variance));
}

/* --- the same program twice --- */

static cJSON *record(struct scene *scene, bool inlined, const char *const *command, const cJSON **ret_process)
{
	const char *args[16] = {"-f", "pprof", "-R", inlined ? "4096" : "1", inlined ? "--inline" : "-q", "--"};
	cJSON *index;

	for (unsigned int i = 0; command[i]; i++)
		args[6 + i] = command[i];
	assert_int_equal(session_run(&scene->session, scene, args), 0);
	index = session_index(&scene->session);
	*ret_process = index_process(index, strrchr(command[0], '/') + 1);
	ledger_assert_clean(*ret_process);
	return index;
}

static struct expected expect_of_probes(struct scene *scene, const char *const *command)
{
	struct expected expected = {0};
	struct profile *profile;
	const cJSON *process;
	cJSON *index = record(scene, false, command, &process);

	assert_int_equal(pprof_read(index_file(&scene->session, process, ".pb.gz"), &profile), 0);
	for (uint32_t i = 0; i < profile->sample_count; i++)
		expect(&expected, (double)profile->samples[i].size, (double)profile->samples[i].alloc_count,
		       (double)profile->samples[i].inuse_count);
	profile_free(profile);
	cJSON_Delete(index);
	return expected;
}

/* `keeps`: enough of it is in use at the end to compare. */
static void check_program(struct scene *scene, bool keeps, const char *const *command)
{
	struct expected expected = expect_of_probes(scene, command);
	const cJSON *process;
	cJSON *index = record(scene, true, command, &process);

	assert_true(expected.samples > 1000);
	assert_int_equal(index_number(process, "ledger.inline"), index_number(process, "ledger.sampled"));
	assert_int_equal(index_number(process, "ledger.table_full"), 0);
	assert_near("samples", (double)index_number(process, "ledger.sampled"), expected.samples,
		    expected.samples_variance);
	assert_near("alloc_space", (double)index_number(process, "alloc_space"), expected.allocated,
		    expected.allocated_variance);
	if (keeps)
		assert_near("inuse_space", (double)index_number(process, "inuse_space"), expected.in_use,
			    expected.in_use_variance);
	cJSON_Delete(index);
}

static void test_inline_perl_agrees_with_probes(void **state)
{
	static const char script[] = "my %h; for my $i (1 .. 30000) { $h{$i % 1000} .= 'x' x ($i % 90) }"
				     "my @l = map { [$_, $h{$_}] } sort keys %h; my $t = join ',', map { $$_[1] } @l;"
				     "our @kept = map { 'k' x ($_ % 2000) } 1 .. 8000;";

	setenv("PERL_HASH_SEED", "0", 1);
	check_program(*state, true, (const char *const[]){"/usr/bin/perl", "-e", script, NULL});
	unsetenv("PERL_HASH_SEED");
}

static void test_inline_sqlite_agrees_with_probes(void **state)
{
	static const char script[] =
		"create table t(id integer primary key, name text);"
		"with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)"
		" insert into t select i, 'name ' || (i * 7919 % 9000) from n;"
		"create index by_name on t(name); select count(distinct name) from t;"
		"select length(group_concat(name)) from (select name from t order by name desc limit 5000);";

	check_program(*state, false, (const char *const[]){"/usr/bin/sqlite3", ":memory:", script, NULL});
}

/* Without its own cache of small objects, and without the files of compiled code that a first run would leave to a second. */
static void test_inline_python_agrees_with_probes(void **state)
{
	static const char script[] = "import json\n"
				     "rows = [{'id': i, 'tags': list(range(i % 9))} for i in range(2000)]\n"
				     "assert json.loads(json.dumps(rows)) == rows\n";

	setenv("PYTHONMALLOC", "malloc", 1);
	setenv("PYTHONHASHSEED", "0", 1);
	setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
	check_program(*state, false, (const char *const[]){"/usr/bin/python3", "-S", "-c", script, NULL});
	unsetenv("PYTHONDONTWRITEBYTECODE");
	unsetenv("PYTHONHASHSEED");
	unsetenv("PYTHONMALLOC");
}

/* --- children --- */

/* What target_offspring does under that number. */
static void expect_offspring(struct expected *expected, unsigned int number)
{
	for (unsigned int i = 0; i < 20; i++) {
		expect(expected, i % 2 ? 1000 + number : 2 * (8 + i), 1, 0);
		if (i % 2 == 0)
			expect(expected, 3000 + i, 1, 0);
	}
	expect(expected, 128, 1, 0);
}

static double sum_of(const cJSON *index, const char *comm, const char *path)
{
	const cJSON *process;
	double sum = 0;

	cJSON_ArrayForEach (process, cJSON_GetObjectItem(index, "processes")) {
		if (!strncmp(cJSON_GetObjectItem(process, "comm")->valuestring, comm, 15))
			sum += (double)index_number(process, path);
	}
	return sum;
}

static void check_children(struct scene *scene, const char *kind, const char *comm, const char *rung)
{
	struct expected expected = {0};
	double samples;
	cJSON *index;

	for (unsigned int number = 1; number <= CHILDREN; number++)
		expect_offspring(&expected, number);
	scene->session.environment[0] = rung ? format("HEAPTAP_ATTACH=%s", rung) : NULL;
	assert_int_equal(
		session_run(&scene->session, scene,
			    (const char *const[]){"-R", "4096", "--inline", "--follow", "--", beside("target_brood"),
						  kind, "1", format("%d", CHILDREN), NULL}),
		0);
	index = session_index(&scene->session);
	samples = sum_of(index, comm, "ledger.sampled");
	assert_true(sum_of(index, comm, "ledger.inline") == samples);
	assert_near(kind, samples, expected.samples, expected.samples_variance);
	cJSON_Delete(index);
}

static void test_inline_forked_children_follow_the_law(void **state)
{
	check_children(*state, "fork", "target_brood", NULL);
}

static void test_inline_executed_children_by_session_follow_the_law(void **state)
{
	check_children(*state, "exec", "target_offspring", "session");
}

static void test_inline_vfork_children_by_multi_follow_the_law(void **state)
{
	check_children(*state, "vfork", "target_offspring", "multi");
}

static void test_inline_spawned_children_by_perf_follow_the_law(void **state)
{
	check_children(*state, "spawn", "target_offspring", "perf");
}

static void test_inline_children_of_threads_follow_the_law(void **state)
{
	check_children(*state, "threads", "target_brood", NULL);
}

/* It allocates in its parent's heap, and in its parent's slots: each block, 700 bytes and what is more, is its parent's. */
static void test_inline_vfork_child_that_allocates_counts_for_its_parent(void **state)
{
	uint64_t allocated = 0, in_use = 0;
	struct scene *scene = *state;
	struct profile *profile;
	const cJSON *process;
	cJSON *index;

	scene->session.environment[0] = "SCENES_MORE=165000";
	assert_int_equal(session_run(&scene->session, scene,
				     (const char *const[]){"-R", "4096", "--inline", "--follow", "-f", "pprof", "--",
							   beside("target_unwind_scenes"), "vfork", NULL}),
			 7);
	index = session_index(&scene->session);
	process = index_process(index, "target_unwind_scenes");
	ledger_assert_clean(process);
	assert_int_equal(pprof_read(index_file(&scene->session, process, ".pb.gz"), &profile), 0);
	for (uint32_t i = 0; i < profile->sample_count; i++) {
		allocated += profile->samples[i].size == 165700 ? profile->samples[i].alloc_count : 0;
		in_use += profile->samples[i].size == 165700 ? profile->samples[i].inuse_count : 0;
	}
	assert_int_equal(allocated, 100);
	assert_int_equal(in_use, 0);
	profile_free(profile);
	cJSON_Delete(index);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_inline_perl_agrees_with_probes),
		TEST(test_inline_sqlite_agrees_with_probes),
		TEST(test_inline_python_agrees_with_probes),
		TEST(test_inline_forked_children_follow_the_law),
		TEST(test_inline_executed_children_by_session_follow_the_law),
		TEST(test_inline_vfork_children_by_multi_follow_the_law),
		TEST(test_inline_spawned_children_by_perf_follow_the_law),
		TEST(test_inline_children_of_threads_follow_the_law),
		TEST(test_inline_vfork_child_that_allocates_counts_for_its_parent),
	};

	return cmocka_run_group_tests_name("inline_truth", tests, NULL, NULL);
}
