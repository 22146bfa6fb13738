/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recorder.c, snapshot.c: without memory for their tables they say so and go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

/* Tables find memory this many times more. */
static unsigned int tables_left;

static void *table_memory(size_t size)
{
	return tables_left && tables_left-- ? malloc(size) : NULL;
}

#define uthash_malloc table_memory

#include "base/intern.c"
#include "heap/recorder.c"
#include "heap/snapshot.c"

#define PLENTY UINT32_MAX

static struct recorder *recorder;

static int setup(void **state)
{
	(void)state;
	tables_left = PLENTY;
	recorder = recorder_new(&(struct recorder_options){.sample_bytes = 1});
	return recorder ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	recorder_free(recorder);
	return 0;
}

static void test_recorder_begin_without_memory_begins_nothing(void **state)
{
	struct image *image = NULL;

	(void)state;
	/* The first element takes a table and its buckets, by number and by pid. */
	for (tables_left = 0; tables_left < 4; tables_left++) {
		unsigned int left = tables_left;

		assert_int_equal(recorder_begin(recorder, 1, 500, 1, 10, &image), -ENOMEM);
		assert_null(image);
		assert_null(recorder_find(recorder, 1));
		tables_left = left;
	}
	tables_left = PLENTY;
	assert_int_equal(recorder_begin(recorder, 1, 500, 1, 10, &image), 0);
	assert_int_equal(image->ordinal, 1);
	assert_ptr_equal(recorder_find(recorder, 1), image);
}

/* What was announced of an image that could not begin is still there for it. */
static void test_recorder_begin_without_memory_keeps_what_was_announced(void **state)
{
	struct mapping mapping = {.start = 0x1000, .end = 0x2000, .from_ns = 6};
	struct image *image = NULL;

	(void)state;
	assert_int_equal(recorder_comm(recorder, 500, "program", true, 5), 0);
	assert_int_equal(recorder_map(recorder, 500, &mapping), 0);
	tables_left = 0;
	assert_int_equal(recorder_begin(recorder, 1, 500, 1, 10, &image), -ENOMEM);
	tables_left = PLENTY;
	assert_int_equal(recorder_begin(recorder, 1, 500, 1, 10, &image), 0);
	assert_int_equal(address_map_count(image->mappings), 1);
}

static void test_snapshot_without_memory_says_so(void **state)
{
	struct mapping mapping = {.start = 0x1000, .end = 0x2000};
	struct profile *profile = NULL;
	struct image *image;
	u64 ip = 0x1010;

	(void)state;
	assert_int_equal(recorder_begin(recorder, 1, 500, 1, 10, &image), 0);
	assert_int_equal(recorder_map(recorder, 500, &mapping), 0);
	assert_int_equal(stack_table_add(&image->stacks, 7, 20, &ip, 1), 0);
	assert_int_equal(heap_alloc(&image->heap, 1, 16, 100, 7, true, 21), 0);
	/* Two tables, of mappings and of locations, with their buckets. */
	for (unsigned int enough = 0; enough < 4; enough++) {
		tables_left = enough;
		assert_int_equal(snapshot_take(recorder_options(recorder), image, 30, 0, &profile), -ENOMEM);
		assert_null(profile);
	}
	tables_left = 4;
	assert_int_equal(snapshot_take(recorder_options(recorder), image, 30, 0, &profile), 0);
	assert_int_equal(profile->sample_count, 1);
	profile_free(profile);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_recorder_begin_without_memory_begins_nothing),
		TEST(test_recorder_begin_without_memory_keeps_what_was_announced),
		TEST(test_snapshot_without_memory_says_so),
	};

	return cmocka_run_group_tests_name("no memory", tests, NULL, NULL);
}
