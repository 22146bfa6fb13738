/* SPDX-License-Identifier: GPL-2.0-or-later */
/* address_map.c: which mapping held an address at a time; the search is compared with a plain loop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "system/address_map.h"
#include "system/proc_maps.h"

static void test_address_map_own_maps_finds_this_code(void **state)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	struct address_map *table = address_map_new();
	const struct mapping *found;
	size_t capacity = 0;
	char *line = NULL;

	(void)state;
	assert_non_null(maps);
	while (getline(&line, &capacity, maps) > 0) {
		struct mapping mapping;
		int err = proc_maps_parse(line, &mapping);

		assert_true(err == 0 || err == -ENOENT);
		if (err == 0) {
			assert_int_equal(address_map_add(table, &mapping), 0);
			free(mapping.path);
		}
	}
	free(line);
	fclose(maps);
	found = address_map_find(table, (uintptr_t)test_address_map_own_maps_finds_this_code, 1);
	assert_non_null(found);
	assert_non_null(strstr(found->path, "test_address_map"));
	address_map_free(table);
}

static void add(struct address_map *table, u64 start, u64 end, u64 from_ns, const char *path)
{
	char copy[32];
	struct mapping mapping = {.start = start, .end = end, .from_ns = from_ns, .path = copy};

	snprintf(copy, sizeof(copy), "%s", path);
	assert_int_equal(address_map_add(table, &mapping), 0);
	memset(copy, 'x', sizeof(copy) - 1);
}

static void assert_found(const struct address_map *table, u64 ip, u64 time_ns, const char *path)
{
	const struct mapping *found = address_map_find(table, ip, time_ns);

	if (!path) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_string_equal(found->path, path);
}

static void test_address_map_empty_finds_nothing(void **state)
{
	struct address_map *table = address_map_new();

	(void)state;
	assert_found(table, 0, 0, NULL);
	assert_found(table, UINT64_MAX, UINT64_MAX, NULL);
	assert_int_equal(address_map_count(table), 0);
	address_map_free(table);
	address_map_free(NULL);
}

static void test_address_map_find_respects_borders(void **state)
{
	struct address_map *table = address_map_new();

	(void)state;
	add(table, 0x3000, 0x4000, 0, "second");
	add(table, 0x1000, 0x2000, 0, "first");
	assert_found(table, 0xfff, 9, NULL);
	assert_found(table, 0x1000, 9, "first");
	assert_found(table, 0x1fff, 9, "first");
	assert_found(table, 0x2000, 9, NULL);
	assert_found(table, 0x3000, 0, "second");
	assert_found(table, 0x4000, 9, NULL);
	assert_int_equal(address_map_count(table), 2);
	assert_string_equal(address_map_get(table, 0)->path, "second");
	assert_string_equal(address_map_get(table, 1)->path, "first");
	address_map_free(table);
}

static void test_address_map_newer_mapping_outdates_from_its_begin_on(void **state)
{
	struct address_map *table = address_map_new();

	(void)state;
	add(table, 0x1000, 0x9000, 0, "old");
	add(table, 0x2000, 0x3000, 100, "plugin");
	add(table, 0x2000, 0x2800, 200, "smaller");
	assert_found(table, 0x2400, 99, "old");
	assert_found(table, 0x2400, 100, "plugin");
	assert_found(table, 0x2400, 199, "plugin");
	assert_found(table, 0x2400, 200, "smaller");
	assert_found(table, 0x2900, 200, "plugin");
	assert_found(table, 0x8000, 200, "old");
	add(table, 0x0, 0xa000, 300, "wide");
	assert_found(table, 0x2400, 299, "smaller");
	assert_found(table, 0x2400, 300, "wide");
	address_map_free(table);
}

static void test_address_map_of_two_begun_at_once_the_later_added_holds(void **state)
{
	struct address_map *table = address_map_new();

	(void)state;
	add(table, 0x2000, 0x3000, 5, "exact");
	add(table, 0x1000, 0x4000, 5, "around");
	assert_found(table, 0x2000, 5, "around");
	add(table, 0x2000, 0x3000, 5, "again");
	assert_found(table, 0x2000, 5, "again");
	address_map_free(table);
}

static void test_address_map_pointers_stay_valid_while_it_grows(void **state)
{
	struct address_map *table = address_map_new();
	const struct mapping *first;

	(void)state;
	add(table, 0x1000, 0x2000, 0, "first");
	first = address_map_find(table, 0x1000, 0);
	for (u64 i = 2; i < 1000; i++)
		add(table, i * 0x1000, i * 0x1000 + 0x1000, 0, "other");
	assert_ptr_equal(first, address_map_find(table, 0x1fff, 0));
	assert_string_equal(first->path, "first");
	address_map_free(table);
}

static void test_address_map_without_path_is_anonymous(void **state)
{
	struct address_map *table = address_map_new();
	struct mapping mapping = {.start = 0, .end = 1};

	(void)state;
	assert_int_equal(address_map_add(table, &mapping), 0);
	assert_found(table, 0, 0, "//anon");
	address_map_free(table);
}

static void test_address_map_full_refuses_and_keeps_what_it_has(void **state)
{
	struct address_map *table = address_map_new();
	struct mapping mapping = {.path = (char[]){"x"}};

	(void)state;
	for (u64 i = 0; i < MAPPINGS_MAX; i++) {
		mapping.start = i;
		mapping.end = i + 1;
		assert_int_equal(address_map_add(table, &mapping), 0);
	}
	mapping.start = MAPPINGS_MAX;
	mapping.end = MAPPINGS_MAX + 1;
	assert_int_equal(address_map_add(table, &mapping), -ENOSPC);
	assert_int_equal(address_map_count(table), MAPPINGS_MAX);
	assert_found(table, MAPPINGS_MAX - 1, 0, "x");
	assert_found(table, MAPPINGS_MAX, 0, NULL);
	address_map_free(table);
}

static const struct mapping *find_by_loop(const struct address_map *table, u64 ip, u64 time_ns)
{
	const struct mapping *best = NULL;

	for (unsigned int i = 0; i < address_map_count(table); i++) {
		const struct mapping *mapping = address_map_get(table, i);

		if (mapping->start <= ip && ip < mapping->end && mapping->from_ns <= time_ns &&
		    (!best || mapping->from_ns >= best->from_ns))
			best = mapping;
	}
	return best;
}

/* In the span the answer is the same, and where it ends it is another. */
static void assert_span(const struct address_map *table, u64 ip, u64 time_ns)
{
	struct mapping_span span;
	const struct mapping *found = address_map_find_span(table, ip, time_ns, &span);

	assert_ptr_equal(found, find_by_loop(table, ip, time_ns));
	assert_true(span.from_ns <= time_ns && time_ns < span.until_ns);
	for (u64 at = span.from_ns; at < span.until_ns && at < 10; at++)
		assert_ptr_equal(find_by_loop(table, ip, at), found);
	if (span.until_ns < 10)
		assert_ptr_not_equal(find_by_loop(table, ip, span.until_ns), found);
	if (span.until_ns >= 10)
		assert_int_equal(span.until_ns, UINT64_MAX);
}

static void test_address_map_find_equals_a_plain_loop(void **state)
{
	(void)state;
	srandom(2);
	for (int round = 0; round < 50; round++) {
		struct address_map *table = address_map_new();

		for (int i = 0; i < 100; i++) {
			u64 start = (u64)random() % 64;

			add(table, start, start + 1 + (u64)random() % 16, (u64)random() % 8, "x");
			for (int j = 0; j < 8; j++) {
				u64 ip = (u64)random() % 90, time_ns = (u64)random() % 9;

				assert_ptr_equal(address_map_find(table, ip, time_ns),
						 find_by_loop(table, ip, time_ns));
				assert_span(table, ip, time_ns);
			}
		}
		address_map_free(table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_address_map_own_maps_finds_this_code),
		cmocka_unit_test(test_address_map_empty_finds_nothing),
		cmocka_unit_test(test_address_map_find_respects_borders),
		cmocka_unit_test(test_address_map_newer_mapping_outdates_from_its_begin_on),
		cmocka_unit_test(test_address_map_of_two_begun_at_once_the_later_added_holds),
		cmocka_unit_test(test_address_map_pointers_stay_valid_while_it_grows),
		cmocka_unit_test(test_address_map_without_path_is_anonymous),
		cmocka_unit_test(test_address_map_full_refuses_and_keeps_what_it_has),
		cmocka_unit_test(test_address_map_find_equals_a_plain_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
