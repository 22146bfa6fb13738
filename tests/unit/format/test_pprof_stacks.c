/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pprof_stacks.c: read back, a part of a profile has its measures, its stacks, and no place that none of them leads through. */
#include "unit/profile/made_profile.h"

#include <stdlib.h>

#include "pprof_file.h"
#include "base/gzip.h"
#include "format/pprof_stacks.h"
#include "pprof.pb-c.h"

static struct made made;
static struct stack_sums sums;

static int setup(void **state)
{
	if (make_file(state))
		return -1;
	make(&made, 7, 0x10000, "jit");
	made.profile.sample_bytes = 1;
	sample(&made, 0, 64, 30, 20);
	sample(&made, 1, 100, 5, 1);
	sums = (struct stack_sums){0};
	return stack_sums_add(&sums, &made.profile, &made.samples[0]) ||
	       stack_sums_add(&sums, &made.profile, &made.samples[1]);
}

static int teardown(void **state)
{
	stack_sums_release(&sums);
	return close_file(state);
}

/* Everything in the file as its message; `stacks` is of the made profile. */
static Pprof__Profile *write_stacks(const struct pprof_stacks *stacks)
{
	Pprof__Profile *message;
	u64 size, packed, unpacked;
	FILE *out = open_path();
	u8 *data;

	assert_int_equal(pprof_stacks_write(stacks, out, &unpacked), 0);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(gzip_read(path, &data, &size, &packed), 0);
	assert_int_equal(size, unpacked);
	message = pprof__profile__unpack(NULL, size, data);
	assert_non_null(message);
	free(data);
	return message;
}

static void test_stacks_have_the_measures_that_are_wanted(void **state)
{
	const struct pprof_stacks stacks = {.profile = &made.profile,
					    .rows = sums.rows,
					    .count = 2,
					    .first = INUSE_OBJECTS,
					    .end = MEASURE_MAX,
					    .time_unix_ns = 99};
	Pprof__Profile *message = write_stacks(&stacks);

	(void)state;
	assert_int_equal(message->n_sample_type, 2);
	assert_string_equal(message->string_table[message->sample_type[0]->type], "inuse_objects");
	assert_string_equal(message->string_table[message->sample_type[1]->unit], "bytes");
	assert_string_equal(message->string_table[0], "");
	assert_int_equal(message->time_nanos, 99);
	assert_int_equal(message->duration_nanos, 0);
	assert_int_equal(message->n_sample, 2);
	assert_int_equal(message->sample[0]->n_label, 0);
	assert_int_equal(message->sample[0]->n_value, 2);
	assert_int_equal(message->sample[0]->value[0], 20);
	assert_int_equal(message->sample[0]->value[1], 1280);
	assert_int_equal(message->sample[1]->value[1], 100);
	pprof__profile__free_unpacked(message, NULL);
}

static void test_stacks_lead_through_all_that_is_written(void **state)
{
	const struct pprof_stacks stacks = {.profile = &made.profile,
					    .exe = LIBRARY,
					    .rows = sums.rows + 1,
					    .count = 1,
					    .first = ALLOC_OBJECTS,
					    .end = INUSE_OBJECTS,
					    .duration_ns = 5};
	Pprof__Profile *message = write_stacks(&stacks);

	(void)state;
	assert_int_equal(message->duration_nanos, 5);
	assert_int_equal(message->n_location, 2);
	assert_int_equal(message->location[0]->id, 1);
	assert_int_equal(message->location[1]->id, 2);
	assert_int_equal(message->sample[0]->location_id[0], 2); /* the generated code, the last of the profile's */
	assert_int_equal(message->sample[0]->location_id[1], 1);
	assert_int_equal(message->location[1]->address, JIT_ADDRESS);
	assert_int_equal(message->n_function, 2);
	/* The program's mapping is the first. */
	assert_int_equal(message->n_mapping, 2);
	assert_string_equal(message->string_table[message->mapping[0]->filename], LIBRARY);
	assert_int_equal(message->mapping[0]->id, 1);
	assert_int_equal(message->location[0]->mapping_id, 1);
	assert_int_equal(message->location[1]->mapping_id, 2);
	pprof__profile__free_unpacked(message, NULL);
}

/* One whose program none of the stacks leads through, and one that is not known. */
static void test_stacks_begin_with_the_program_s_mapping(void **state)
{
	struct pprof_stacks stacks = {.profile = &made.profile,
				      .exe = "//anon",
				      .rows = sums.rows,
				      .count = 1,
				      .first = ALLOC_OBJECTS,
				      .end = INUSE_OBJECTS};
	Pprof__Profile *message = write_stacks(&stacks);

	(void)state;
	assert_int_equal(message->n_mapping, 2);
	assert_string_equal(message->string_table[message->mapping[0]->filename], "//anon");
	assert_int_equal(message->location[0]->mapping_id, 2);
	pprof__profile__free_unpacked(message, NULL);
	stacks.exe = NULL;
	message = write_stacks(&stacks);
	assert_int_equal(message->n_mapping, 1);
	assert_string_equal(message->string_table[message->mapping[0]->filename], LIBRARY);
	pprof__profile__free_unpacked(message, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_stacks_have_the_measures_that_are_wanted),
		TEST(test_stacks_lead_through_all_that_is_written),
		TEST(test_stacks_begin_with_the_program_s_mapping),
	};

	return cmocka_run_group_tests_name("pprof_stacks", tests, NULL, NULL);
}
