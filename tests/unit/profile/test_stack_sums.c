/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack_sums.c: estimates are added up by stack, and the sums are those of the profile. */
#include "made_profile.h"

#include "profile/stack_sums.h"

static void add_all(struct stack_sums *sums, const struct profile *profile)
{
	for (u32 i = 0; i < profile->sample_count; i++)
		assert_int_equal(stack_sums_add(sums, profile, &profile->samples[i]), 0);
}

static void test_sums_are_by_stack_and_those_of_the_profile(void **state)
{
	u64 wanted[MEASURE_MAX], found[MEASURE_MAX] = {0};
	struct stack_sums sums = {0};
	struct made made;

	(void)state;
	make(&made, 7, 0x10000, "jit");
	sample(&made, 0, 64, 30, 20);
	sample(&made, 1, 64, 5, 0);
	sample(&made, 0, 100000, 3, 3);
	sample(&made, 0, 0, 2, 1);
	add_all(&sums, &made.profile);
	assert_int_equal(sums.count, 2);
	assert_int_equal(sums.rows[0].depth, 2);
	assert_int_equal(sums.rows[0].location[0], LEAF);
	assert_int_equal(sums.rows[1].location[0], JIT);
	profile_totals(&made.profile, wanted);
	for (unsigned int m = 0; m < MEASURE_MAX; m++) {
		found[m] = sums.rows[0].value[m] + sums.rows[1].value[m];
		assert_int_equal(found[m], wanted[m]);
	}
	stack_sums_release(&sums);
}

static void test_sums_of_what_has_no_stack_are_one(void **state)
{
	struct stack_sums sums = {0};
	struct made made;

	(void)state;
	make(&made, 7, 0x10000, "jit");
	made.profile.sample_bytes = 1;
	sample(&made, 0, 8, 1, 1);
	sample(&made, 1, 16, 1, 0);
	made.samples[0].depth = made.samples[1].depth = 0;
	made.samples[0].location = NULL;
	add_all(&sums, &made.profile);
	assert_int_equal(sums.count, 1);
	assert_int_equal(sums.rows[0].depth, 0);
	assert_int_equal(sums.rows[0].value[ALLOC_SPACE], 24);
	assert_int_equal(sums.rows[0].value[INUSE_SPACE], 8);
	stack_sums_release(&sums);
}

/* Formats have 63 bits for a sum. */
static void test_sums_do_not_overflow(void **state)
{
	struct stack_sums sums = {0};
	struct made made;

	(void)state;
	make(&made, 7, 0x10000, "jit");
	made.profile.sample_bytes = 1;
	sample(&made, 0, 1ULL << 40, 1ULL << 22, 1ULL << 22);
	sample(&made, 0, 1ULL << 41, 1ULL << 21, 1ULL << 21);
	add_all(&sums, &made.profile);
	assert_int_equal(sums.rows[0].value[ALLOC_SPACE], INT64_MAX);
	assert_int_equal(sums.rows[0].value[ALLOC_OBJECTS], 3ULL << 21);
	stack_sums_release(&sums);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_are_by_stack_and_those_of_the_profile),
		cmocka_unit_test(test_sums_of_what_has_no_stack_are_one),
		cmocka_unit_test(test_sums_do_not_overflow),
	};

	return cmocka_run_group_tests_name("stack_sums", tests, NULL, NULL);
}
