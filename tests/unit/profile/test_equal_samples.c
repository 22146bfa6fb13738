/* SPDX-License-Identifier: GPL-2.0-or-later */
/* equal_samples.c: one sample for each stack, size and labels, in the order of the first of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile/equal_samples.h"

#define SAMPLES 100000 /* room */

static struct profile *profile;

static int setup(void **state)
{
	(void)state;
	profile = calloc(1, sizeof(*profile));
	profile->samples = calloc(SAMPLES, sizeof(*profile->samples));
	return !profile->samples;
}

static int teardown(void **state)
{
	(void)state;
	profile_free(profile);
	return 0;
}

static struct profile_sample *add(const u32 *location, u32 depth, u64 size, u64 alloc_count, u64 inuse_count)
{
	struct profile_sample *sample = &profile->samples[profile->sample_count++];

	sample->depth = depth;
	sample->location = profile_stack(profile, depth);
	memcpy(sample->location, location, depth * sizeof(*location));
	sample->size = size;
	sample->alloc_count = alloc_count;
	sample->inuse_count = inuse_count;
	return sample;
}

static void assert_sample(u32 index, u64 size, u32 depth, u64 alloc_count, u64 inuse_count)
{
	const struct profile_sample *sample = &profile->samples[index];

	assert_true(index < profile->sample_count);
	assert_int_equal(sample->size, size);
	assert_int_equal(sample->depth, depth);
	assert_int_equal(sample->alloc_count, alloc_count);
	assert_int_equal(sample->inuse_count, inuse_count);
}

static void test_profile_merge_samples_equal_stack_and_size_become_one(void **state)
{
	(void)state;
	add((u32[]){9, 0}, 2, 8, 1, 1);
	add((u32[]){9, 0}, 2, 16, 10, 0);
	add((u32[]){9, 0}, 2, 8, 100, 50);
	add((u32[]){9}, 1, 8, 1000, 0);
	assert_int_equal(profile_merge_samples(profile), 0);
	assert_int_equal(profile->sample_count, 3);
	assert_sample(0, 8, 2, 101, 51);
	assert_sample(1, 16, 2, 10, 0);
	assert_sample(2, 8, 1, 1000, 0);
}

static void test_profile_merge_samples_of_none_is_none(void **state)
{
	(void)state;
	assert_int_equal(profile_merge_samples(profile), 0);
	assert_int_equal(profile->sample_count, 0);
}

/* Beginnings, other orders, other labels, and no frames at all. */
static void test_profile_merge_samples_keeps_apart_what_differs(void **state)
{
	(void)state;
	add((u32[]){1, 2, 3}, 3, 8, 1, 0);
	add((u32[]){1, 2}, 2, 8, 2, 0);
	add((u32[]){3, 2, 1}, 3, 8, 3, 0);
	add((u32[]){1, 2, 4}, 3, 8, 4, 0);
	add((u32[]){2, 2, 3}, 3, 8, 5, 0);
	add((u32[]){1, 2, 3}, 3, 8, 6, 0)->labels = 1;
	add((u32[]){0}, 0, 8, 7, 0);
	add((u32[]){0}, 0, 9, 8, 0);
	assert_int_equal(profile_merge_samples(profile), 0);
	assert_int_equal(profile->sample_count, 8);
	for (u32 i = 0; i < 8; i++)
		assert_int_equal(profile->samples[i].alloc_count, i + 1);
}

static void test_profile_merge_samples_adds_lifetimes(void **state)
{
	struct lifetime one = {.born = {1}}, two = {.born = {2}}, sum;

	(void)state;
	add((u32[]){1}, 1, 8, 1, 0)->lifetime = lifetime_pack(&one);
	add((u32[]){1}, 1, 8, 2, 0)->lifetime = lifetime_pack(&two);
	assert_int_equal(profile_merge_samples(profile), 0);
	assert_int_equal(profile->sample_count, 1);
	sum = lifetime_unpack(profile->samples[0].lifetime);
	assert_int_equal(sum.born[0], 3);
}

/* Every second one is equal to the one SAMPLES / 2 before it. */
static void test_profile_merge_samples_of_many(void **state)
{
	(void)state;
	for (u32 i = 0; i < SAMPLES; i++) {
		u32 which = i % (SAMPLES / 2), second = i >= SAMPLES / 2 && which % 2 ? SAMPLES : 0;

		add((u32[]){which / 200, which % 200, second + 7}, 3, 8, which, 1);
	}
	assert_int_equal(profile_merge_samples(profile), 0);
	assert_int_equal(profile->sample_count, SAMPLES / 4 * 3);
	for (u32 i = 0; i < SAMPLES / 2; i++)
		assert_sample(i, 8, 3, i % 2 ? i : 2UL * i, i % 2 ? 1 : 2);
	for (u32 i = SAMPLES / 2; i < profile->sample_count; i++)
		assert_sample(i, 8, 3, 2UL * (i - SAMPLES / 2) + 1, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_profile_merge_samples_equal_stack_and_size_become_one),
		TEST(test_profile_merge_samples_of_none_is_none),
		TEST(test_profile_merge_samples_keeps_apart_what_differs),
		TEST(test_profile_merge_samples_adds_lifetimes),
		TEST(test_profile_merge_samples_of_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
