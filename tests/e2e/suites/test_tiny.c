/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of 4 bytes, the smallest that programs make many of, are not lost: every one is seen at interval 1, and at
 * larger intervals 2^20 of them are estimated without bias. Bounds: 5.5 standard errors where there are about 1000
 * samples (once in 10 million runs), Poisson's own where there are few.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "e2e/kit/ledger.h"
#include "e2e/kit/session.h"

#define MANY (1 << 20)
#define FEW  (1 << 16)
#define SIZE 4

/* The index, which belongs to the caller, and the row of the process in it. */
static cJSON *record_tiny(struct scene *scene, const char *interval, unsigned int count, const cJSON **ret_process)
{
	const char *const args[] = {"-R", interval, "--", beside("target_tiny"), format("%u", count), NULL};
	cJSON *index;

	assert_int_equal(session_run(&scene->session, scene, args), 0);
	index = session_index(&scene->session);
	*ret_process = index_process(index, "target_tiny");
	ledger_assert_clean(*ret_process);
	assert_true(index_number(*ret_process, "hits.alloc") >= count);
	return index;
}

static void test_tiny_every_object_is_seen_at_interval_one(void **state)
{
	const cJSON *process;
	cJSON *index = record_tiny(*state, "1", FEW, &process);

	assert_int_equal(index_number(process, "inuse_objects"), FEW);
	assert_int_equal(index_number(process, "inuse_space"), FEW * SIZE);
	assert_int_equal(index_number(process, "alloc_objects"), FEW);
	assert_int_equal(index_number(process, "alloc_space"), FEW * SIZE);
	cJSON_Delete(index);
}

static void test_tiny_million_objects_are_estimated_without_bias(void **state)
{
	const cJSON *process;
	cJSON *index = record_tiny(*state, "4K", MANY, &process);
	double p = -expm1(-SIZE / 4096.0), error = sqrt(MANY * (1 - p) / p);
	double objects = (double)index_number(process, "inuse_objects");
	double bytes = (double)index_number(process, "inuse_space");

	if (fabs(objects - MANY) > 5.5 * error || fabs(bytes - MANY * SIZE) > 5.5 * error * SIZE)
		fail_msg("%.0f objects, %.0f bytes; expected %d +- %.0f, and 4 times that", objects, bytes, MANY,
			 error);
	cJSON_Delete(index);
}

/*
 * 4 MiB are 8 samples on average, those of three recordings 24: fewer than 4 come once in 10 million times (Poisson:
 * 9.9e-8), more than 59 less than once in 10^8.
 */
static void test_tiny_million_objects_are_sampled_at_the_default_interval(void **state)
{
	uint64_t samples = 0;

	for (int i = 0; i < 3; i++) {
		const cJSON *process;
		cJSON *index = record_tiny(*state, "512K", MANY, &process);

		samples += index_number(process, "samples");
		cJSON_Delete(index);
	}
	assert_in_range(samples, 4, 59);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tiny_every_object_is_seen_at_interval_one),
		TEST(test_tiny_million_objects_are_estimated_without_bias),
		TEST(test_tiny_million_objects_are_sampled_at_the_default_interval),
	};

	return cmocka_run_group_tests_name("tiny", tests, NULL, NULL);
}
