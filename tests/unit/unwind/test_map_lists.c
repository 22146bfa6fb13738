/* SPDX-License-Identifier: GPL-2.0-or-later */
/* map_lists.c, through tables.c: the lists of many images that come and go, in little space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "system/address_map.h"
#include "base/extent.h"
#include "unwind/tables.h"

#define PROCESS 7
#define ROWS	2048
#define TICK_NS 20000000ULL

static struct unwind_memory memory;
static struct unwind_tables *set;
static struct address_map *mappings;
static struct scope scopes[4000];
static u64 now_ns;

static int setup(void **state)
{
	(void)state;
	memory = (struct unwind_memory){.row_count = 64, .mapping_count = ROWS};
	memory.rows = calloc(memory.row_count, sizeof(*memory.rows));
	memory.rules = calloc(UNWIND_RULES_MAX, sizeof(*memory.rules));
	memory.mappings = calloc(memory.mapping_count, sizeof(*memory.mappings));
	memory.files = calloc(UNWIND_FILES_MAX, sizeof(*memory.files));
	memset(scopes, 0, sizeof(scopes));
	now_ns = 1000;
	mappings = address_map_new();
	return mappings ? unwind_tables_new(&memory, &set) : -1;
}

static int teardown(void **state)
{
	(void)state;
	unwind_tables_free(set);
	address_map_free(mappings);
	free(memory.rows);
	free(memory.rules);
	free(memory.mappings);
	free(memory.files);
	return 0;
}

static void map(u32 count, u64 from_ns)
{
	for (u64 i = 0; i < count; i++) {
		struct mapping mapping = {.start = i * 0x2000, .end = i * 0x2000 + 0x1000, .from_ns = from_ns};

		assert_int_equal(address_map_add(mappings, &mapping), 0);
	}
}

static void unmap_all(void)
{
	address_map_free(mappings);
	mappings = address_map_new();
	assert_non_null(mappings);
}

static void publish(struct scope *scope)
{
	assert_int_equal(unwind_tables_publish(set, scope, PROCESS, mappings, now_ns), 0);
	assert_int_equal(scope->mappings_process, PROCESS);
	assert_true((scope->mappings >> 32) + (u32)scope->mappings <= ROWS);
}

static void test_lists_of_thousands_of_processes_find_room(void **state)
{
	(void)state;
	map(20, 0);
	for (u32 i = 0; i < 4000; i++) {
		publish(&scopes[i]);
		now_ns += TICK_NS * 4;
		unwind_tables_withdraw(set, &scopes[i], now_ns);
		assert_int_equal(scopes[i].mappings_process, 0);
	}
}

static void test_lists_of_thousands_of_images_of_one_process_find_room(void **state)
{
	(void)state;
	for (u32 image = 1; image <= 4000; image++) {
		unmap_all();
		map(image % 40, 0);
		publish(&scopes[0]);
		assert_int_equal((u32)scopes[0].mappings, image % 40);
		assert_int_equal(scopes[0].generation, image);
		now_ns += TICK_NS;
	}
}

/* 32, 64, 128, 256 in either half are 960 rows, of which a process that has grown needs 512. */
static void test_places_outgrown_are_used_again(void **state)
{
	(void)state;
	for (u32 i = 0; i < 50; i++) {
		for (u32 count = 20; count <= 250; count += 10) {
			unmap_all();
			map(count, 0);
			publish(&scopes[i]);
		}
		now_ns += EXTENT_REST_NS;
		unwind_tables_withdraw(set, &scopes[i], now_ns);
		now_ns += EXTENT_REST_NS;
	}
}

static void test_rows_withdrawn_rest_before_others_get_them(void **state)
{
	(void)state;
	map(ROWS / 2, 0);
	publish(&scopes[0]);
	unwind_tables_withdraw(set, &scopes[0], now_ns);
	now_ns += EXTENT_REST_NS - 1;
	assert_int_equal(unwind_tables_publish(set, &scopes[1], PROCESS, mappings, now_ns), -ENOSPC);
	now_ns++;
	publish(&scopes[1]);
}

static void test_publish_says_which_mappings_are_known_since_when(void **state)
{
	struct mapping later = {.start = 0, .end = 0x1000, .from_ns = 1001, .path = (char *)"/lib/other"};

	(void)state;
	map(2, 0);
	assert_int_equal(address_map_add(mappings, &later), 0);
	assert_int_equal(address_map_generation(mappings), 0);
	publish(&scopes[0]);
	assert_int_equal(address_map_generation(mappings), 1);
	assert_int_equal(address_map_get(mappings, 1)->known, 1);
	assert_int_equal(address_map_get(mappings, 2)->known, 0);
	now_ns++;
	publish(&scopes[0]);
	assert_int_equal(address_map_get(mappings, 1)->known, 1);
	assert_int_equal(address_map_get(mappings, 2)->known, 2);
}

/* As a program with code made at run time does it, which writes to a page of it, and runs it again. */
static void test_publish_of_the_same_code_again_is_no_new_generation(void **state)
{
	(void)state;
	map(3, 0);
	for (u32 i = 0; i < 1000; i++) {
		publish(&scopes[0]);
		assert_int_equal(scopes[0].generation, 1);
		map(3, ++now_ns);
	}
	assert_int_equal(address_map_generation(mappings), 1);
	unmap_all();
	map(3, 0);
	publish(&scopes[0]);
	assert_int_equal(scopes[0].generation, 2);
}

/* Side by side, but one of them learnt of before it was known: two rows. */
static void test_publish_says_which_code_keeps_no_frame_pointers(void **state)
{
	struct mapping one = {.start = 0x1000, .end = 0x2000, .from_ns = 1}, next = one;
	const struct unwind_mapping *row;

	(void)state;
	next.start = 0x2000;
	next.end = 0x3000;
	assert_int_equal(address_map_add(mappings, &one), 0);
	address_map_set_frameless(mappings, true);
	assert_int_equal(address_map_add(mappings, &next), 0);
	publish(&scopes[0]);
	row = &memory.mappings[scopes[0].mappings >> 32];
	assert_int_equal((u32)scopes[0].mappings, 2);
	assert_int_equal(row[0].flags, UNWIND_MAPPING_NO_TABLE | UNWIND_MAPPING_FRAMELESS);
	assert_int_equal(row[1].flags, UNWIND_MAPPING_NO_TABLE);
	address_map_set_frameless(mappings, true);
	publish(&scopes[0]);
	assert_int_equal((u32)scopes[0].mappings, 1);
}

static void test_publish_without_room_makes_nothing_known(void **state)
{
	(void)state;
	map(ROWS / 2 + 1, 0);
	assert_int_equal(unwind_tables_publish(set, &scopes[0], PROCESS, mappings, now_ns), -ENOSPC);
	assert_int_equal(address_map_get(mappings, 0)->known, 0);
	assert_int_equal(address_map_generation(mappings), 0);
	assert_int_equal(scopes[0].mappings_process, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lists_of_thousands_of_processes_find_room),
		TEST(test_lists_of_thousands_of_images_of_one_process_find_room),
		TEST(test_places_outgrown_are_used_again),
		TEST(test_rows_withdrawn_rest_before_others_get_them),
		TEST(test_publish_says_which_mappings_are_known_since_when),
		TEST(test_publish_of_the_same_code_again_is_no_new_generation),
		TEST(test_publish_says_which_code_keeps_no_frame_pointers),
		TEST(test_publish_without_room_makes_nothing_known),
	};

	return cmocka_run_group_tests_name("unwindlist", tests, NULL, NULL);
}
