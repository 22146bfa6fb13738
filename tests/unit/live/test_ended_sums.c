/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ended_sums.c: processes of one name and container are one row, and rows have an end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "live/ended_sums.h"

/* It has allocated one object of `size` bytes, which is in use, at one sample a byte. */
static struct profile *process(u32 pid, const char *comm, const char *container, u64 size)
{
	struct profile *profile = calloc(1, sizeof(*profile));

	assert_non_null(profile);
	profile->pid = pid;
	profile->exited = true;
	profile->sample_bytes = 1;
	profile->comm = strdup(comm);
	profile->container = container ? strdup(container) : NULL;
	profile->ledger[COUNTER_LOST_RING] = 1;
	profile->samples = calloc(1, sizeof(*profile->samples));
	assert_non_null(profile->samples);
	profile->sample_count = 1;
	profile->samples[0] = (struct profile_sample){.size = size, .alloc_count = 1, .inuse_count = 1};
	return profile;
}

static void test_ended_sums_are_by_name_and_container(void **state)
{
	struct index_table sums = {0};

	(void)state;
	assert_int_equal(ended_sums_add(&sums, process(1, "job", NULL, 100), false), 0);
	assert_int_equal(ended_sums_add(&sums, process(2, "job", "0123", 10), false), 0);
	assert_int_equal(ended_sums_add(&sums, process(3, "job", NULL, 1000), false), 0);
	assert_int_equal(sums.count, 2);
	assert_int_equal(sums.entries[0].total[ALLOC_SPACE], 1100);
	assert_int_equal(sums.entries[0].samples, 2);
	assert_int_equal(sums.entries[0].facts->pid, 0);
	assert_int_equal(sums.entries[0].facts->processes, 2);
	assert_int_equal(sums.entries[0].facts->ended.processes, 2);
	assert_int_equal(sums.entries[0].facts->ended.inuse_space, 1100);
	assert_int_equal(sums.entries[0].facts->ledger[COUNTER_LOST_RING], 2);
	assert_int_equal(sums.entries[1].total[ALLOC_SPACE], 10);
	assert_string_equal(sums.entries[1].facts->container, "0123");
	index_table_release(&sums);
}

static void test_ended_sums_of_endless_names_have_an_end(void **state)
{
	struct index_table sums = {0};
	char comm[16];

	(void)state;
	for (u32 i = 0; i < ENDED_SUMS_MAX + 10; i++) {
		snprintf(comm, sizeof(comm), "job%u", i);
		assert_int_equal(ended_sums_add(&sums, process(i + 1, comm, "0123", 1), false), 0);
	}
	assert_int_equal(ended_sums_add(&sums, process(1, "job0", "0123", 1), false), 0);
	assert_int_equal(sums.count, ENDED_SUMS_MAX + 1);
	assert_int_equal(sums.entries[0].total[ALLOC_OBJECTS], 2);
	assert_int_equal(sums.entries[ENDED_SUMS_MAX].total[ALLOC_OBJECTS], 10);
	assert_int_equal(sums.entries[ENDED_SUMS_MAX].facts->ledger[COUNTER_LOST_RING], 10);
	assert_null(sums.entries[ENDED_SUMS_MAX].facts->comm);
	assert_null(sums.entries[ENDED_SUMS_MAX].facts->container);
	index_table_release(&sums);
}

static void test_ended_sums_of_named_processes_are_each_one_s(void **state)
{
	struct index_table sums = {0};

	(void)state;
	assert_int_equal(ended_sums_add(&sums, process(1, "job", NULL, 100), true), 0);
	assert_int_equal(ended_sums_add(&sums, process(2, "job", NULL, 10), true), 0);
	assert_int_equal(ended_sums_add(&sums, process(1, "job", NULL, 1000), true), 0);
	assert_int_equal(sums.count, 2);
	assert_int_equal(sums.entries[0].facts->pid, 1);
	assert_int_equal(sums.entries[0].total[ALLOC_SPACE], 1100);
	assert_int_equal(sums.entries[1].facts->pid, 2);
	index_table_release(&sums);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ended_sums_of_named_processes_are_each_one_s),
		cmocka_unit_test(test_ended_sums_are_by_name_and_container),
		cmocka_unit_test(test_ended_sums_of_endless_names_have_an_end),
	};

	return cmocka_run_group_tests_name("ended_sums", tests, NULL, NULL);
}
