/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pprof_bases.c: what is remembered of each scope, and what goes when there is no room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "serve/pprof_bases.h"

static struct pprof_bases *bases;

static int setup(void **state)
{
	(void)state;
	bases = pprof_bases_new();
	return bases ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	pprof_bases_free(bases);
	return 0;
}

/* False: there is no room. */
static bool remember(u32 pid, u32 samples, u64 now_ns)
{
	const struct request request = {.pid = pid};
	struct profile *profile;

	if (!pprof_bases_reserve(bases, &request, samples, now_ns))
		return false;
	profile = calloc(1, sizeof(*profile));
	assert_non_null(profile);
	profile->samples = calloc(samples, sizeof(*profile->samples));
	assert_non_null(profile->samples);
	profile->sample_count = samples;
	pprof_bases_keep(bases, &request, profile, now_ns);
	return true;
}

static bool is_remembered(u32 pid)
{
	return pprof_bases_find(bases, &(const struct request){.pid = pid});
}

/* As many as /sd lists, each of which a store asks for in turn. */
static void test_bases_of_all_targets_are_remembered(void **state)
{
	(void)state;
	for (u64 round = 1; round < 3; round++)
		for (u32 pid = 1; pid <= 1000; pid++) {
			assert_int_equal(is_remembered(pid), round > 1);
			assert_true(remember(pid, 100, round));
		}
}

static void test_bases_that_are_asked_for_do_not_give_way(void **state)
{
	(void)state;
	for (u32 pid = 1; pid <= PPROF_BASES_MAX; pid++)
		assert_true(remember(pid, 1, 0));
	assert_false(remember(PPROF_BASES_MAX + 1, 1, PPROF_BASES_AGE_NS - 1));
	assert_true(remember(1, 2, PPROF_BASES_AGE_NS - 1));
	assert_true(remember(PPROF_BASES_MAX + 1, 1, PPROF_BASES_AGE_NS));
	assert_true(is_remembered(1));
	assert_false(is_remembered(2)); /* the oldest */
	assert_true(is_remembered(3));
}

static void test_bases_have_so_many_samples_together(void **state)
{
	(void)state;
	assert_true(remember(1, PPROF_BASES_SAMPLES_MAX - 10, 0));
	assert_true(remember(2, 10, 0));
	assert_false(remember(3, 1, 1));
	assert_false(remember(2, 11, 1));
	assert_true(is_remembered(2));
	assert_true(remember(2, 9, 1));
	assert_true(remember(3, 1, 1));
	assert_true(remember(1, 5, PPROF_BASES_AGE_NS));
	assert_true(is_remembered(2));
}

/* One that is larger than all may be is the only one. */
static void test_bases_keep_a_single_large_one(void **state)
{
	(void)state;
	assert_true(remember(1, PPROF_BASES_SAMPLES_MAX + 1, 0));
	assert_true(remember(1, PPROF_BASES_SAMPLES_MAX + 2, 1));
	assert_false(remember(2, 1, 2));
	assert_true(remember(2, 1, PPROF_BASES_AGE_NS + 1));
	assert_false(is_remembered(1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bases_of_all_targets_are_remembered),
		TEST(test_bases_that_are_asked_for_do_not_give_way),
		TEST(test_bases_have_so_many_samples_together),
		TEST(test_bases_keep_a_single_large_one),
	};

	return cmocka_run_group_tests_name("pprof_bases", tests, NULL, NULL);
}
