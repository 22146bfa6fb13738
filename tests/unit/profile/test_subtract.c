/* SPDX-License-Identifier: GPL-2.0-or-later */
/* subtract.c: what is left of two profiles is what happened between them, whatever their tables look like. */
#include "unit/profile/golden.h"

#include "profile/profile_copy.h"
#include "profile/subtract.h"

static struct profile *later, *base;

static int setup(void **state)
{
	struct profile small = golden_small();

	(void)state;
	base = profile_copy(&small);
	later = profile_copy(&small);
	if (!base || !later)
		return -1;
	later->duration_ns = base->duration_ns + 3000000000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	profile_free(base);
	profile_free(later);
	return 0;
}

static void test_subtract_equal_profiles_leaves_nothing(void **state)
{
	(void)state;
	assert_int_equal(profile_subtract(later, base, true), 0);
	assert_int_equal(later->sample_count, 0);
	assert_true(later->difference);
	assert_int_equal(later->duration_ns, 3000000000);
	assert_int_equal(later->start_unix_ns, base->start_unix_ns + base->duration_ns);
}

/* What several processes have that have allocated nothing yet: it has no time, which is not that of 1970. */
static void test_subtract_nothing_keeps_the_time(void **state)
{
	const struct profile none = {.sample_bytes = base->sample_bytes};
	u64 start = later->start_unix_ns, duration = later->duration_ns;

	(void)state;
	assert_int_equal(profile_subtract(later, &none, false), 0);
	assert_int_equal(later->start_unix_ns, start);
	assert_int_equal(later->duration_ns, duration);
}

static void test_subtract_leaves_what_came_and_went(void **state)
{
	u64 value[MEASURE_MAX];

	(void)state;
	later->samples[0].alloc_count += 5;
	later->samples[0].inuse_count -= 1;
	assert_int_equal(profile_subtract(later, base, true), 0);
	assert_int_equal(later->sample_count, 1);
	assert_int_equal(later->samples[0].alloc_count, 5);
	assert_int_equal((s64)later->samples[0].inuse_count, -1);
	profile_sample_values(later, &later->samples[0], value);
	assert_true((s64)value[INUSE_SPACE] < 0 && (s64)value[INUSE_OBJECTS] < 0);
	assert_true((s64)value[ALLOC_SPACE] > 0);
}

/* In use is what it is now: only what neither lives nor was allocated goes. */
static void test_subtract_allocations_alone_keeps_what_is_in_use(void **state)
{
	u64 before[MEASURE_MAX], after[MEASURE_MAX];

	(void)state;
	profile_totals(base, before);
	assert_int_equal(profile_subtract(later, base, false), 0);
	profile_totals(later, after);
	assert_int_equal(after[INUSE_SPACE], before[INUSE_SPACE]);
	assert_int_equal(after[INUSE_OBJECTS], before[INUSE_OBJECTS]);
	assert_int_equal(after[ALLOC_SPACE], 0);
	assert_int_equal(later->sample_count, base->sample_count - 1);
	assert_false(later->difference);
}

/* Another order of locations, and a library at another address, as when profiles are merged anew. */
static void test_subtract_knows_code_by_its_file(void **state)
{
	struct profile_location first = later->locations[0];
	u32 last = later->location_count - 1;

	(void)state;
	later->locations[0] = later->locations[last];
	later->locations[last] = first;
	for (u32 i = 0; i < later->sample_count; i++)
		for (u32 frame = 0; frame < later->samples[i].depth; frame++) {
			u32 *location = &later->samples[i].location[frame];

			*location = *location == 0 ? last : *location == last ? 0 : *location;
		}
	later->mappings[0].start += 0x10000000;
	later->mappings[0].end += 0x10000000;
	for (u32 i = 0; i < later->location_count; i++)
		if (later->locations[i].mapping == 0)
			later->locations[i].address += 0x10000000;
	assert_int_equal(profile_subtract(later, base, true), 0);
	assert_int_equal(later->sample_count, 0);
}

/* In `later` it is one of several, and has a name that it took meanwhile. */
static void test_subtract_knows_a_process_by_its_pid(void **state)
{
	(void)state;
	free(later->labels);
	later->labels = calloc(1, sizeof(*later->labels));
	assert_non_null(later->labels);
	later->label_count = 1;
	later->labels[0] = (struct profile_labels){.pid = base->pid, .comm = strdup("renamed"), .group = base->image};
	for (u32 i = 0; i < later->sample_count; i++)
		later->samples[i].labels = 1;
	later->pid = 0;
	assert_true(base->pid > 0);
	assert_int_equal(profile_subtract(later, base, true), 0);
	assert_int_equal(later->sample_count, 0);
}

static void test_subtract_keeps_another_process(void **state)
{
	const u32 count = later->sample_count;

	(void)state;
	later->pid = base->pid + 1;
	assert_int_equal(profile_subtract(later, base, true), 0);
	assert_int_equal(later->sample_count, count);
}

static void test_subtract_keeps_another_program_of_the_process(void **state)
{
	const u32 count = later->sample_count;

	(void)state;
	later->image = base->image + 1;
	assert_int_equal(profile_subtract(later, base, true), 0);
	assert_int_equal(later->sample_count, count);
}

/* What has vanished was not allocated again, and cannot be less than nothing. */
static void test_subtract_allocations_are_never_negative(void **state)
{
	(void)state;
	later->samples[0].alloc_count = 1;
	assert_int_equal(profile_subtract(later, base, false), 0);
	for (u32 i = 0; i < later->sample_count; i++)
		assert_int_equal(later->samples[i].alloc_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_subtract_equal_profiles_leaves_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subtract_nothing_keeps_the_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subtract_leaves_what_came_and_went, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subtract_allocations_alone_keeps_what_is_in_use, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subtract_knows_code_by_its_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subtract_knows_a_process_by_its_pid, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subtract_keeps_another_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subtract_keeps_another_program_of_the_process, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subtract_allocations_are_never_negative, setup, teardown),
	};

	return cmocka_run_group_tests_name("subtract", tests, NULL, NULL);
}
