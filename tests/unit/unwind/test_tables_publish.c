/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables.c: mapping lists as the programs see them. */
#include "table_gate.h"

/* --- publishing --- */

static void test_publish_nothing_gives_an_empty_list(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	publish(&scopes[0]);
	assert_int_equal(list_count(&scopes[0]), 0);
}

static void test_publish_one_mapping_fills_every_field(void **state)
{
	const struct unwind_mapping *row;

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	scopes[0] = (struct scope){.process = 5, .pid = 6, .wide = 1};
	map(0x7f0000001000, 0x7f0000020000, 0x1000, 0, elfs[0]);
	publish(&scopes[0]);
	unwind_tables_wait(set, -1);
	assert_int_equal(list_count(&scopes[0]), 1);
	row = list_row(&scopes[0], 0);
	assert_int_equal(row->start, 0x7f0000001000);
	assert_int_equal(row->end, 0x7f0000020000);
	assert_int_equal(row->file_offset, 0x1000);
	assert_int_equal(row->flags, 1 << UNWIND_NUMBER_SHIFT);
	assert_is_loader(row->table);
	assert_int_equal(scopes[0].process, 5);
	assert_int_equal(scopes[0].pid, 6);
	assert_int_equal(scopes[0].wide, 1);
}

static void test_publish_thousand_mappings_sorts_them(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, UNWIND_MAPPINGS_MAX);
	for (u64 i = 0; i < 1000; i++) {
		u64 place = i * 617 % 1000;

		map(place * 0x10000, place * 0x10000 + 0x8000, place * 0x1000, 0, i % 3 ? elfs[i % 2] : NULL);
	}
	publish(&scopes[0]);
	unwind_tables_wait(set, -1);
	assert_int_equal(list_count(&scopes[0]), 1000);
	assert_ascending(&scopes[0]);
	for (u32 i = 0; i < 1000; i++) {
		assert_int_equal(list_row(&scopes[0], i)->start, i * 0x10000);
		assert_int_equal(list_row(&scopes[0], i)->file_offset, i * 0x1000);
	}
	assert_int_equal(gate.entered, 2);
}

static void test_publish_mapping_without_file_never_gets_a_table(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	map(0x1000, 0x2000, 0, 0, NULL);
	publish(&scopes[0]);
	assert_int_equal(list_row(&scopes[0], 0)->table, 0);
	assert_int_equal(list_row(&scopes[0], 0)->flags, UNWIND_MAPPING_NO_TABLE);
	assert_int_equal(gate.entered, 0);
}

static void test_publish_file_without_unwind_information_is_marked_when_known(void **state)
{
	struct unwind_rule rule;

	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	gate.error = -ENODATA;
	gate_set(true);
	map(0x1000, 0x2000, 0, 0, elfs[0]);
	publish(&scopes[0]);
	assert_int_equal(list_row(&scopes[0], 0)->flags, 0);
	assert_int_equal(unwind_tables_rule(set, elfs[0], 0x10, &rule), -EAGAIN);
	gate_set(false);
	unwind_tables_wait(set, -1);
	assert_int_equal(list_row(&scopes[0], 0)->flags, UNWIND_MAPPING_NO_TABLE);
	assert_int_equal(list_row(&scopes[0], 0)->table, 0);
	assert_int_equal(unwind_tables_rule(set, elfs[0], 0x10, &rule), -ENOENT);
	publish(&scopes[0]);
	assert_int_equal(list_row(&scopes[0], 0)->flags, UNWIND_MAPPING_NO_TABLE);
	assert_int_equal(gate.entered, 1);
}

static void test_publish_ready_table_enters_every_list_already_published(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 1024);
	gate_set(true);
	map(0x1000, 0x2000, 0x1000, 0, elfs[0]);
	map(0x5000, 0x6000, 0x3000, 0, elfs[0]);
	publish(&scopes[0]);
	map(0x0, 0x800, 0, 0, elfs[1]);
	publish(&scopes[1]);
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(list_row(&scopes[0], i)->table, 0);
	gate_set(false);
	unwind_tables_wait(set, -1);
	assert_is_loader(list_row(&scopes[0], 0)->table);
	assert_is_loader(list_row(&scopes[1], 0)->table);
	assert_int_not_equal(list_row(&scopes[1], 0)->table, list_row(&scopes[0], 0)->table);
	assert_int_equal(list_row(&scopes[0], 1)->table, list_row(&scopes[0], 0)->table);
	assert_int_equal(list_row(&scopes[1], 1)->table, list_row(&scopes[0], 0)->table);
	assert_int_equal(list_row(&scopes[1], 2)->table, list_row(&scopes[0], 0)->table);
}

/* --- what is where --- */

static void test_publish_newer_mapping_outdates_older_at_same_place(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	map(0x1000, 0x3000, 0x1000, 0, elfs[0]);
	map(0x1000, 0x3000, 0x2000, 100, elfs[1]);
	map(0x1000, 0x3000, 0x5000, NOW_NS + 1, elfs[0]);
	publish(&scopes[0]);
	unwind_tables_wait(set, -1);
	assert_int_equal(list_count(&scopes[0]), 1);
	assert_int_equal(list_row(&scopes[0], 0)->file_offset, 0x2000);
	assert_int_equal(list_row(&scopes[0], 0)->table, (*find_table(set, elfs[1]))->index);
}

static void test_publish_newer_mapping_within_older_cuts_it_in_two(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 64);
	map(0x1000, 0x9000, 0x11000, 0, elfs[0]);
	map(0x2000, 0x3000, 0x1000, 100, elfs[1]);
	publish(&scopes[0]);
	unwind_tables_wait(set, -1);
	assert_int_equal(list_count(&scopes[0]), 3);
	assert_ascending(&scopes[0]);
	assert_int_equal(look(&scopes[0], 0x1fff)->file_offset, 0x11000);
	assert_int_equal(look(&scopes[0], 0x2000)->file_offset, 0x1000);
	assert_int_equal(look(&scopes[0], 0x8fff)->file_offset, 0x13000);
	assert_int_equal(look(&scopes[0], 0x8fff)->table, (*find_table(set, elfs[0]))->index);
	assert_null(look(&scopes[0], 0x9000));
}

/* Mappings thrown about: at every border and beside it the list says what the table of mappings says. */
static void test_publish_any_mappings_equal_the_mapping_table(void **state)
{
	unsigned int seed = 1;

	(void)state;
	begin(UNWIND_ROWS_MAX, UNWIND_MAPPINGS_MAX);
	for (u32 round = 0; round < 50; round++) {
		unmap_all();
		for (u32 i = 0; i < 1 + round; i++) {
			u64 start = (u64)(rand_r(&seed) % 60) * 0x1000, size = (u64)(1 + rand_r(&seed) % 20) * 0x1000;
			u32 number = (u32)rand_r(&seed) % (ELFS_MAX + 1);

			map(start, start + size, (u64)(rand_r(&seed) % 9) * 0x1000, (u64)(rand_r(&seed) % 1200),
			    number < ELFS_MAX ? elfs[number] : NULL);
		}
		publish(&scopes[0]);
		unwind_tables_wait(set, -1);
		assert_ascending(&scopes[0]);
		for (u64 addr = 0x800; addr < 81 * 0x1000; addr += 0x800) {
			const struct mapping *mapping = address_map_find(mappings, addr, NOW_NS);
			const struct unwind_mapping *row = look(&scopes[0], addr);

			assert_int_equal(!row, !mapping);
			if (!row)
				continue;
			assert_int_equal(row->table, mapping->elf ? (*find_table(set, mapping->elf))->index : 0);
			if (mapping->elf)
				assert_int_equal(addr - row->start + row->file_offset,
						 addr - mapping->start + mapping->file_offset);
		}
	}
}

/* --- places --- */

static void test_publish_again_leaves_old_list_untouched(void **state)
{
	struct unwind_mapping before[2];
	u64 first, second;

	(void)state;
	begin(UNWIND_ROWS_MAX, 1024);
	map(0x1000, 0x2000, 0x1000, 0, elfs[0]);
	map(0x5000, 0x6000, 0x3000, 0, NULL);
	publish(&scopes[0]);
	unwind_tables_wait(set, -1);
	first = scopes[0].mappings;
	memcpy(before, list_row(&scopes[0], 0), sizeof(before));
	map(0x1000, 0x6000, 0x7000, 50, elfs[1]);
	publish(&scopes[0]);
	unwind_tables_wait(set, -1);
	second = scopes[0].mappings;
	assert_int_not_equal(first >> 32, second >> 32);
	assert_memory_equal(memory.mappings + (first >> 32), before, sizeof(before));
	publish(&scopes[0]);
	assert_int_equal(scopes[0].mappings >> 32, first >> 32);
	publish(&scopes[0]);
	assert_int_equal(scopes[0].mappings, second);
}

static void test_publish_longer_list_moves_and_leaves_old_one_untouched(void **state)
{
	struct unwind_mapping before[30];
	u64 first;

	(void)state;
	begin(UNWIND_ROWS_MAX, 2048);
	for (u64 i = 0; i < 30; i++)
		map(i * 0x2000, i * 0x2000 + 0x1000, 0, 0, NULL);
	publish(&scopes[0]);
	first = scopes[0].mappings;
	memcpy(before, list_row(&scopes[0], 0), sizeof(before));
	for (u64 i = 30; i < 200; i++)
		map(i * 0x2000, i * 0x2000 + 0x1000, 0, 0, NULL);
	publish(&scopes[0]);
	publish(&scopes[1]);
	assert_int_equal(list_count(&scopes[0]), 200);
	assert_int_equal(list_count(&scopes[1]), 200);
	assert_memory_equal(memory.mappings + (first >> 32), before, sizeof(before));
	assert_ascending(&scopes[0]);
	assert_ascending(&scopes[1]);
	assert_int_equal(list_row(&scopes[0], 199)->start, 199 * 0x2000);
}

static void test_publish_without_room_withdraws_the_outdated_list(void **state)
{
	(void)state;
	begin(UNWIND_ROWS_MAX, 128);
	map(0, 0x1000, 0, 0, NULL);
	publish(&scopes[0]);
	for (u64 i = 1; i < 40; i++)
		map(i * 0x2000, i * 0x2000 + 0x1000, 0, 0, NULL);
	assert_int_equal(unwind_tables_publish(set, &scopes[0], PROCESS, mappings, NOW_NS), -ENOSPC);
	assert_int_equal(scopes[0].mappings_process, 0);
	assert_int_equal(unwind_tables_publish(set, &scopes[1], PROCESS, mappings, NOW_NS), -ENOSPC);
	assert_int_equal(scopes[1].mappings_process, 0);
	unmap_all();
	map(0, 0x1000, 0, 0, NULL);
	publish(&scopes[1]);
	publish(&scopes[0]);
	assert_int_equal(unwind_tables_publish(set, &scopes[2], PROCESS, mappings, NOW_NS), -ENOSPC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_publish_nothing_gives_an_empty_list),
		TEST(test_publish_one_mapping_fills_every_field),
		TEST(test_publish_thousand_mappings_sorts_them),
		TEST(test_publish_mapping_without_file_never_gets_a_table),
		TEST(test_publish_file_without_unwind_information_is_marked_when_known),
		TEST(test_publish_ready_table_enters_every_list_already_published),
		TEST(test_publish_newer_mapping_outdates_older_at_same_place),
		TEST(test_publish_newer_mapping_within_older_cuts_it_in_two),
		TEST(test_publish_any_mappings_equal_the_mapping_table),
		TEST(test_publish_again_leaves_old_list_untouched),
		TEST(test_publish_longer_list_moves_and_leaves_old_one_untouched),
		TEST(test_publish_without_room_withdraws_the_outdated_list),
	};

	return cmocka_run_group_tests_name("table", tests, NULL, NULL);
}
