/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What live objects cost in memory: looked up in a profile of the test's own process, added up, estimated. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "profile/equal_samples.h"
#include "profile/merge.h"
#include "profile/profile_copy.h"
#include "profile/sample_residency.h"

#define PAGE 4096

/* Two samples of one page each, with the same stack, and one of another size. */
static struct profile *made(void)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	profile->pid = (u32)getpid();
	profile->sample_bytes = 1 << 10;
	profile->comm = strdup("test");
	profile->locations = calloc(1, sizeof(*profile->locations));
	profile->location_count = 1;
	profile->samples = calloc(3, sizeof(*profile->samples));
	profile->sample_count = 3;
	for (u32 i = 0; i < 3; i++) {
		profile->samples[i] = (struct profile_sample){.depth = 1, .size = i == 2 ? 100 : PAGE};
		profile->samples[i].alloc_count = profile->samples[i].inuse_count = 2;
		profile->samples[i].location = profile_stack(profile, 1);
		profile->samples[i].location[0] = 0;
	}
	return profile;
}

static char *map(size_t size)
{
	char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(madvise(memory, size, MADV_NOHUGEPAGE), 0);
	return memory;
}

static void note(struct profile *profile, u32 sample, const char *address)
{
	assert_int_equal(sample_residency_note(&profile->samples[sample], (uintptr_t)address), 0);
}

static void test_residency_is_looked_up_and_added_up(void **state)
{
	char *memory = map(8 * PAGE);
	struct profile *profile = made(), *copy;
	struct residency_sum sum = {0};
	u64 value[MEASURE_MAX];

	(void)state;
	memory[0] = 1;
	memset(memory + PAGE, 0, PAGE);
	note(profile, 0, memory);
	note(profile, 0, memory + 4 * PAGE);
	note(profile, 1, memory + PAGE);
	/* What waits is merged, too. */
	assert_int_equal(profile_merge_samples(profile), 0);
	assert_int_equal(profile->sample_count, 2);
	assert_int_equal(sample_residency_look_up(profile), 0);
	copy = profile_copy(profile);
	profile_free(profile);
	assert_int_equal(copy->samples[0].residency->objects, 3);
	assert_int_equal(copy->samples[0].residency->bytes, 3 * PAGE);
	assert_int_equal(copy->samples[0].residency->resident, 2 * PAGE);
	assert_int_equal(copy->samples[0].residency->swapped, 0);
	assert_int_equal(copy->samples[0].residency->read, 2);
	assert_int_equal(copy->samples[0].residency->zero, 1);
	assert_int_equal(copy->samples[0].residency->waiting, 0);
	/* None of the other's objects was there. */
	assert_null(copy->samples[1].residency);
	for (u32 i = 0; i < 2; i++)
		residency_sum_add(&sum, copy, &copy->samples[i]);
	profile_sample_values(copy, &copy->samples[0], value);
	assert_int_equal(sum.objects, 3);
	assert_int_equal(sum.inuse, value[INUSE_SPACE]);
	assert_true(fabs(sum.resident - sum.inuse * 2 / 3) < 1e-6 * sum.inuse);
	assert_true(fabs(sum.untouched - sum.inuse / 3) < 1e-6 * sum.inuse);
	assert_true(fabs(sum.zero - sum.inuse / 3) < 1e-6 * sum.inuse);
	profile_free(copy);
	munmap(memory, 8 * PAGE);
}

static void test_residency_of_processes_is_merged(void **state)
{
	struct sample_residency one = {
		.objects = 2, .bytes = 200, .resident = 150, .swapped = 20, .read = 4, .zero = 1};
	struct merge *merge = merge_new();
	struct profile *profile = made();

	(void)state;
	assert_int_equal(sample_residency_add(&profile->samples[2], &one), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(merge_add(merge, profile, NULL), 0);
	assert_int_equal(merge_profile(merge)->samples[1].residency->objects, 4);
	assert_int_equal(merge_profile(merge)->samples[1].residency->resident, 300);
	assert_int_equal(merge_profile(merge)->samples[1].residency->swapped, 40);
	assert_int_equal(merge_profile(merge)->samples[1].residency->read, 8);
	assert_null(merge_profile(merge)->samples[0].residency);
	merge_free(merge);
	profile_free(profile);
}

static void test_residency_of_a_process_that_is_gone_is_unknown(void **state)
{
	struct profile *profile = made();

	(void)state;
	profile->pid = INT32_MAX;
	note(profile, 0, (const char *)profile);
	assert_int_equal(sample_residency_look_up(profile), -ENOENT);
	for (u32 i = 0; i < 3; i++)
		assert_null(profile->samples[i].residency);
	profile_free(profile);
}

/* Sizes of 0 have no bytes, so there is nothing to be resident. */
static void test_residency_of_nothing(void **state)
{
	struct profile *profile = made();
	struct residency_sum sum = {0};

	(void)state;
	profile->samples[2].size = 0;
	note(profile, 2, (const char *)profile);
	assert_int_equal(sample_residency_look_up(profile), 0);
	for (u32 i = 0; i < 3; i++)
		residency_sum_add(&sum, profile, &profile->samples[i]);
	assert_int_equal(sum.objects, 0);
	profile_free(profile);
}

/* The others are looked up all the same. */
static void test_residency_leaves_out_what_is_too_large(void **state)
{
	char *memory = map(PAGE);
	struct profile *profile = made();

	(void)state;
	memory[0] = 1;
	profile->samples[1].size = 1ULL << 62;
	note(profile, 0, memory);
	note(profile, 1, memory);
	assert_int_equal(sample_residency_look_up(profile), -E2BIG);
	assert_int_equal(profile->samples[0].residency->resident, PAGE);
	assert_null(profile->samples[1].residency);
	assert_non_null(strstr(sample_residency_explain(-E2BIG), "tebibyte"));
	profile_free(profile);
	munmap(memory, PAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_residency_is_looked_up_and_added_up),
		cmocka_unit_test(test_residency_of_processes_is_merged),
		cmocka_unit_test(test_residency_of_a_process_that_is_gone_is_unknown),
		cmocka_unit_test(test_residency_of_nothing),
		cmocka_unit_test(test_residency_leaves_out_what_is_too_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
