/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inline/object_table: the same words as the sampler itself leaves, which finds the objects and takes them out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "inline/object_table.h"
#include "inline/sampler_image.h"

/* The sampler's own, built for here. */
#include "inline/blob/objects.c"

#define TABLE_BITS 10
#define OBJECTS	   300

const struct sampler_config sampler_config = {.table_bits = TABLE_BITS};
u8 sampler_filter[SAMPLER_FILTER];
u64 sampler_table[1 << TABLE_BITS];

static u64 object(u64 number)
{
	return 0x7f0000000000 + number * 0x12340;
}

static void assert_same(const struct object_table *table)
{
	assert_memory_equal(table->entries, sampler_table, sizeof(sampler_table));
	assert_memory_equal(table->filter, sampler_filter, sizeof(sampler_filter));
}

static void test_as_the_sampler_does(void **state)
{
	struct object_table table;

	(void)state;
	assert_int_equal(object_table_init(&table, TABLE_BITS), 0);
	for (u64 i = 0; i < OBJECTS; i++) {
		assert_true(objects_add(object(i)));
		assert_true(object_table_add(&table, object(i)));
	}
	assert_same(&table);
	for (u64 i = 0; i < OBJECTS; i += 3) {
		assert_true(objects_remove(object(i)));
		object_table_remove(&table, object(i));
	}
	object_table_remove(&table, object(OBJECTS));
	assert_same(&table);
	object_table_release(&table);
}

static void test_a_bucket_is_full(void **state)
{
	struct object_table table;
	u32 added = 0;

	(void)state;
	assert_int_equal(object_table_init(&table, 3), 0);
	while (object_table_add(&table, object(added)))
		added++;
	assert_int_equal(added, SAMPLER_BUCKET);
	object_table_remove(&table, object(5));
	assert_true(object_table_add(&table, object(100)));
	object_table_release(&table);
}

static int open_memory(void)
{
	char name[] = "/tmp/heaptap-memory-XXXXXX";
	int memory = mkstemp(name);

	assert_true(memory >= 0);
	unlink(name);
	assert_int_equal(ftruncate(memory, (off_t)(sampler_image_header()->table + (sizeof(u64) << TABLE_BITS))), 0);
	return memory;
}

static void test_written_where_the_sampler_looks(void **state)
{
	const struct sampler_header *header = sampler_image_header();
	u64 entries[1 << TABLE_BITS], count = 0;
	struct object_table table;
	int memory = open_memory();
	u8 byte;

	(void)state;
	assert_int_equal(object_table_init(&table, TABLE_BITS), 0);
	assert_true(object_table_add(&table, object(1)));
	assert_int_equal(object_table_write(&table, memory, 0), -EFAULT); /* that is no sampler */
	assert_int_equal(pwrite(memory, header, sizeof(*header), 0), sizeof(*header));
	assert_int_equal(object_table_write(&table, memory, 0), 0);
	assert_true(object_table_add(&table, object(2)));
	assert_int_equal(object_table_write_one(&table, object(2), memory, 0), 0);
	assert_int_equal(pread(memory, entries, sizeof(entries), header->table), sizeof(entries));
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		count += entries[i] == sampler_entry(object(1)) || entries[i] == sampler_entry(object(2));
	assert_int_equal(count, 2);
	assert_int_equal(pread(memory, &byte, 1, header->filter + sampler_filter_index(object(2))), 1);
	assert_int_equal(byte, 1);
	object_table_release(&table);
	close(memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_the_sampler_does),
		cmocka_unit_test(test_a_bucket_is_full),
		cmocka_unit_test(test_written_where_the_sampler_looks),
	};

	return cmocka_run_group_tests_name("object_table", tests, NULL, NULL);
}
