/* SPDX-License-Identifier: GPL-2.0-or-later */
/* user/inline/blob/: calls that move, resize and free objects which are samples, and others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sampler_call.h"

static void test_realloc_moves_a_sample(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0x2000, sampled_realloc, 0x1000, SURE + 1, 3);
	assert_int_equal(told_count, 3);
	assert_moved(0x1000, true);
	assert_born(2, 0x2000, SURE + 1, false);
	call_answering(0x2000, sampled_realloc, 0x2000, SURE + 2, 3); /* in its place */
	assert_int_equal(told_count, 3);
	assert_moved(0x2000, true);
	assert_born(2, 0x2000, SURE + 2, false);
	process_config->sample_bytes = 0;
	call_answering(0x2000, sampled_realloc, 0x2000, SURE + 3, 3);
	assert_int_equal(told_count, 2);
	assert_moved(0x2000, true);
	assert_empty();
}

static void test_realloc_failed_leaves_the_sample(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0, sampled_realloc, 0x1000, SURE + 1, 3);
	assert_int_equal(told_count, 2);
	assert_moved(0x1000, false);
	call_answering(0, sampled_free, 0x1000, 2, 3);
	assert_int_equal(told_count, 1);
	assert_told(0, SAMPLER_FREED, 0x1000);
	assert_empty();
}

static void test_realloc_of_an_unsampled_object_is_an_allocation(void **state)
{
	(void)state;
	call_answering(0x2000, sampled_realloc, 0x1000, SURE, 3);
	assert_int_equal(told_count, 1);
	assert_born(0, 0x2000, SURE, false);
	call_answering(0x3000, sampled_realloc, 0x2000 + (1ULL << 36), SURE, 3); /* the same filter byte */
	assert_int_equal(told_count, 1);
	assert_born(0, 0x3000, SURE, false);
}

static void test_realloc_whose_old_address_is_used_again_meanwhile(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	told_count = 0;
	assert_int_equal(sampled_busy(0x1000, SURE), 0x9000);
	assert_int_equal(told_count, 4);
	assert_told(0, SAMPLER_MOVED, 0x1000);
	assert_told(1, SAMPLER_BORN, 0x1000);
	assert_told(2, SAMPLER_SETTLED, 0x1000);
	assert_int_equal(told[2].rsi, 1);
	assert_told(3, SAMPLER_BORN, 0x9000);
	call_answering(0, sampled_free, 0x1000, 2, 3);
	assert_int_equal(told_count, 1);
	call_answering(0, sampled_free, 0x9000, 2, 3);
	assert_int_equal(told_count, 1);
	assert_empty();
}

static void test_realloc_to_nothing_frees(void **state)
{
	(void)state;
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0, sampled_realloc, 0x1000, 0, 3);
	assert_int_equal(told_count, 1);
	assert_told(0, SAMPLER_FREED, 0x1000);
	call_answering(0x1000, sampled_malloc, SURE, 2, 3);
	call_answering(0, sampled_resize, 0x1000, 0, 3);
	assert_int_equal(told_count, 2);
	assert_moved(0x1000, true);
	assert_empty();
}

int main(void)
{
#define in_process(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
		in_process(test_realloc_moves_a_sample),
		in_process(test_realloc_failed_leaves_the_sample),
		in_process(test_realloc_of_an_unsampled_object_is_an_allocation),
		in_process(test_realloc_whose_old_address_is_used_again_meanwhile),
		in_process(test_realloc_to_nothing_frees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
