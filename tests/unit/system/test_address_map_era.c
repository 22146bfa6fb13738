/* SPDX-License-Identifier: GPL-2.0-or-later */
/* address_map.c: what the BPF programs know, which mappings displace others, and the eras between displacements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "system/address_map.h"

static char files[3];
static struct address_map *table;

/* Never looked into. */
static struct elf *file(u32 number)
{
	return (struct elf *)&files[number];
}

static int setup(void **state)
{
	(void)state;
	table = address_map_new();
	return table ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	address_map_free(table);
	return 0;
}

static void map(u64 start, u64 end, u64 file_offset, u64 from_ns, struct elf *elf)
{
	struct mapping mapping = {
		.start = start, .end = end, .file_offset = file_offset, .from_ns = from_ns, .elf = elf};

	assert_int_equal(address_map_add(table, &mapping), 0);
}

static void assert_era(u64 time_ns, u64 from_ns, u64 until_ns)
{
	struct mapping_era era = address_map_era(table, time_ns);

	assert_int_equal(era.from_ns, from_ns);
	assert_int_equal(era.until_ns, until_ns);
	assert_true(address_map_is_in_era(table, &era, time_ns));
	assert_true(address_map_is_in_era(table, &era, from_ns));
	assert_true(address_map_is_in_era(table, &era, until_ns - 1));
	assert_false(address_map_is_in_era(table, &era, until_ns));
	if (from_ns)
		assert_false(address_map_is_in_era(table, &era, from_ns - 1));
}

static void test_mapping_era_without_displacement_is_all_time(void **state)
{
	(void)state;
	assert_era(5, 0, UINT64_MAX);
	map(0x1000, 0x2000, 0, 0, file(0));
	map(0x2000, 0x3000, 0, 10, file(1));
	map(0x800, 0x1000, 0, 10, NULL);
	assert_era(5, 0, UINT64_MAX);
	/* The same again, and a part of it: nothing means anything else. */
	map(0x1000, 0x2000, 0, 20, file(0));
	map(0x1800, 0x1900, 0x800, 30, file(0));
	map(0x800, 0x900, 0, 40, NULL);
	assert_era(5, 0, UINT64_MAX);
}

static void test_mapping_era_ends_where_other_code_comes(void **state)
{
	(void)state;
	map(0x1000, 0x2000, 0, 0, file(0));
	map(0x1fff, 0x3000, 0, 20, file(1));
	assert_era(19, 0, 20);
	assert_era(20, 20, UINT64_MAX);
	/* Another part of the same file. */
	map(0x1000, 0x1001, 8, 40, file(0));
	/* Told late. */
	map(0x2000, 0x2001, 0, 30, NULL);
	assert_era(0, 0, 20);
	assert_era(25, 20, 30);
	assert_era(30, 30, 40);
	assert_era(99, 40, UINT64_MAX);
}

static void test_mapping_era_is_over_when_another_displacement_is_told(void **state)
{
	struct mapping_era era;

	(void)state;
	map(0x1000, 0x2000, 0, 0, file(0));
	era = address_map_era(table, 50);
	map(0x9000, 0xa000, 0, 40, file(1));
	assert_true(address_map_is_in_era(table, &era, 50));
	map(0x1000, 0x2000, 0, 40, file(1));
	assert_false(address_map_is_in_era(table, &era, 50));
	assert_false(address_map_is_in_era(table, &era, 30));
}

static void test_mapping_memory_without_file_is_told_apart_by_name(void **state)
{
	struct mapping one = {.start = 0x1000, .path = (char *)"//anon"}, other = one;

	(void)state;
	assert_true(mapping_same_code(&one, &other, 0x1000));
	assert_true(mapping_same_code(NULL, NULL, 0x1000));
	assert_false(mapping_same_code(&one, NULL, 0x1000));
	assert_false(mapping_same_code(NULL, &one, 0x1000));
	other.path = (char *)"/lib/gone";
	assert_false(mapping_same_code(&one, &other, 0x1000));
	one.path = other.path;
	assert_true(mapping_same_code(&one, &other, 0x1000));
	other.build_id_size = 20;
	assert_false(mapping_same_code(&one, &other, 0x1000));
	one.build_id_size = 20;
	one.build_id[19] = 1;
	assert_false(mapping_same_code(&one, &other, 0x1000));
	other.elf = file(0);
	assert_false(mapping_same_code(&one, &other, 0x1000));
}

static void test_mapping_known_is_what_each_list_was_made_of(void **state)
{
	(void)state;
	map(0x1000, 0x2000, 0, 0, file(0));
	assert_null(address_map_find_known(table, 0x1000, 1));
	address_map_set_known(table, 10, 1);
	map(0x1000, 0x2000, 0, 20, file(1));
	map(0x1000, 0x2000, 0, 30, file(2));
	assert_ptr_equal(address_map_find_known(table, 0x1000, 1)->elf, file(0));
	assert_ptr_equal(address_map_find_known(table, 0x1000, 9)->elf, file(0));
	address_map_set_known(table, 29, 2);
	address_map_set_known(table, 30, 3);
	assert_int_equal(address_map_generation(table), 3);
	for (u32 generation = 1; generation <= 3; generation++)
		assert_ptr_equal(address_map_find_known(table, 0x1000, generation)->elf, file(generation - 1));
	assert_null(address_map_find_known(table, 0x1000, 0));
	assert_null(address_map_find_known(table, 0x2000, 3));
}

/* Thrown about: within an era every address means the same code; and it ends only where one of them no longer does. */
static void test_mapping_era_of_any_mappings_equals_plain_comparison(void **state)
{
	unsigned int seed = 3;

	(void)state;
	for (u32 round = 0; round < 60; round++) {
		address_map_free(table);
		table = address_map_new();
		for (u32 i = 0; i < 12; i++) {
			u64 start = (u64)(rand_r(&seed) % 30), from_ns = (u64)(rand_r(&seed) % 60);

			map(start, start + 1 + (u64)(rand_r(&seed) % 6), start, from_ns, file((u32)rand_r(&seed) % 2));
		}
		for (u64 time_ns = 1; time_ns < 70; time_ns++) {
			struct mapping_era era = address_map_era(table, time_ns - 1);
			bool same = true;

			for (u64 ip = 0; ip < 36; ip++) {
				const struct mapping *before = address_map_find(table, ip, time_ns - 1);

				same = same &&
				       (!before || mapping_same_code(before, address_map_find(table, ip, time_ns), ip));
			}
			if (!same)
				assert_false(address_map_is_in_era(table, &era, time_ns));
		}
	}
}

/* --- copies --- */

static struct address_map *copy_at(u64 now_ns)
{
	struct address_map *copy = NULL;

	assert_int_equal(address_map_copy(table, now_ns, &copy), 0);
	assert_non_null(copy);
	return copy;
}

static void test_mapping_copy_has_what_is_in_force_and_nothing_else(void **state)
{
	struct address_map *copy;

	(void)state;
	map(0x1000, 0x3000, 0, 10, file(0));
	map(0x5000, 0x6000, 0, 20, file(1));
	map(0x1000, 0x3000, 0, 30, file(2));
	copy = copy_at(25);
	assert_int_equal(address_map_count(copy), 2);
	assert_ptr_equal(address_map_find(copy, 0x1234, 100)->elf, file(0));
	assert_ptr_equal(address_map_find(copy, 0x5234, 100)->elf, file(1));
	address_map_free(copy);
	copy = copy_at(30);
	assert_int_equal(address_map_count(copy), 2);
	assert_ptr_equal(address_map_find(copy, 0x1234, 100)->elf, file(2));
	address_map_free(copy);
	copy = copy_at(9);
	assert_int_equal(address_map_count(copy), 0);
	address_map_free(copy);
}

static void test_mapping_copy_keeps_one_that_is_covered_in_part(void **state)
{
	struct address_map *copy;

	(void)state;
	map(0x1000, 0x4000, 0, 10, file(0));
	map(0x3000, 0x5000, 0, 20, file(1));
	copy = copy_at(50);
	assert_ptr_equal(address_map_find(copy, 0x1234, 100)->elf, file(0));
	assert_ptr_equal(address_map_find(copy, 0x3234, 100)->elf, file(1));
	address_map_free(copy);
}

/* What comes later is of one of the two alone. */
static void test_mapping_copy_goes_its_own_way(void **state)
{
	struct mapping mapping = {.start = 0x7000, .end = 0x8000, .from_ns = 60, .elf = file(1)};
	struct address_map *copy;

	(void)state;
	map(0x1000, 0x2000, 0, 10, file(0));
	copy = copy_at(50);
	map(0x5000, 0x6000, 0, 55, file(2));
	assert_int_equal(address_map_add(copy, &mapping), 0);
	assert_null(address_map_find(copy, 0x5234, 100));
	assert_null(address_map_find(table, 0x7234, 100));
	assert_ptr_equal(address_map_find(copy, 0x7234, 100)->elf, file(1));
	address_map_free(copy);
}

static void test_mapping_generation_stays_while_no_code_is_displaced(void **state)
{
	(void)state;
	map(0x1000, 0x2000, 0, 0, file(0));
	assert_int_equal(address_map_next_generation(table, 10, 0), 1);
	assert_int_equal(address_map_next_generation(table, 10, 7), 8);
	address_map_set_known(table, 10, 8);
	assert_int_equal(address_map_next_generation(table, 10, 8), 8);
	map(0x2000, 0x3000, 0, 20, file(1));
	map(0x1000, 0x2000, 0, 20, file(0));
	assert_int_equal(address_map_next_generation(table, 20, 8), 8);
	/* Another image's list has been there since. */
	assert_int_equal(address_map_next_generation(table, 20, 9), 10);
	map(0x1fff, 0x2000, 0, 30, file(1));
	assert_int_equal(address_map_next_generation(table, 29, 8), 8);
	assert_int_equal(address_map_next_generation(table, 30, 8), 9);
	address_map_set_known(table, 30, 9);
	assert_int_equal(address_map_next_generation(table, 30, 9), 9);
}

static void test_mapping_generation_changes_with_what_displaces_code_told_of_later(void **state)
{
	(void)state;
	map(0x5000, 0x6000, 0, 0, file(0));
	address_map_set_known(table, 10, 1);
	map(0x1000, 0x2000, 0, 30, file(1));
	map(0x1000, 0x2000, 0, 20, file(0));
	assert_int_equal(address_map_next_generation(table, 20, 1), 2);
	address_map_set_known(table, 20, 2);
	assert_int_equal(address_map_next_generation(table, 30, 2), 3);
}

/* Mappings in any order, published at any times: what one list of a generation knows, later lists of it know. */
static void test_mapping_generation_of_any_lists_means_the_same_code(void **state)
{
	unsigned int seed = 5;
	u32 kept = 0;

	(void)state;
	for (u32 round = 0; round < 300; round++) {
		const struct mapping *known[100] = {NULL};
		u32 generation = 0, next;

		address_map_free(table);
		table = address_map_new();
		for (u64 now_ns = 0; now_ns < 60; now_ns += 10) {
			for (u32 i = (u32)rand_r(&seed) % 3; i < 3; i++) {
				u64 start = (u64)(rand_r(&seed) % 90), end = start + 1 + (u64)(rand_r(&seed) % 8);

				map(start, end, start, now_ns + (u64)(rand_r(&seed) % 25),
				    file((u32)rand_r(&seed) % 2));
			}
			next = address_map_next_generation(table, now_ns, generation);
			address_map_set_known(table, now_ns, next);
			for (u64 ip = 0; ip < 100; ip++) {
				const struct mapping *now = address_map_find_known(table, ip, next);

				if (next == generation && known[ip])
					assert_true(mapping_same_code(known[ip], now, ip));
				known[ip] = now;
			}
			kept += next == generation;
			generation = next;
		}
	}
	assert_true(kept > 100);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_mapping_era_without_displacement_is_all_time),
		TEST(test_mapping_era_ends_where_other_code_comes),
		TEST(test_mapping_era_is_over_when_another_displacement_is_told),
		TEST(test_mapping_memory_without_file_is_told_apart_by_name),
		TEST(test_mapping_known_is_what_each_list_was_made_of),
		TEST(test_mapping_era_of_any_mappings_equals_plain_comparison),
		TEST(test_mapping_copy_has_what_is_in_force_and_nothing_else),
		TEST(test_mapping_copy_keeps_one_that_is_covered_in_part),
		TEST(test_mapping_copy_goes_its_own_way),
		TEST(test_mapping_generation_stays_while_no_code_is_displaced),
		TEST(test_mapping_generation_changes_with_what_displaces_code_told_of_later),
		TEST(test_mapping_generation_of_any_lists_means_the_same_code),
	};

	return cmocka_run_group_tests_name("mapping era", tests, NULL, NULL);
}
