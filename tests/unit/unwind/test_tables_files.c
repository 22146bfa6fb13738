/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tables.c: what the programs are told of files, for processes that have no list. */
#include "table_gate.h"

#define INODE 77

static void publish_named_without_waiting(struct scope *scope, struct elf *elf, ino_t inode)
{
	struct mapping mapping = {.start = 0x1000, .end = 0x2000, .device = 40, .inode = inode, .elf = elf};

	unmap_all();
	assert_int_equal(address_map_add(mappings, &mapping), 0);
	publish(scope);
}

static void publish_named(struct scope *scope, struct elf *elf, ino_t inode)
{
	publish_named_without_waiting(scope, elf, inode);
	unwind_tables_wait(set, -1);
}

/* What the programs know of the file; NULL: nothing. */
static const struct unwind_file *file_row(ino_t inode)
{
	for (u32 i = 0; i < UNWIND_FILES_MAX; i++)
		if (memory.files[i].inode == inode)
			return &memory.files[i];
	return NULL;
}

static void test_file_is_found_by_its_inode_once_its_table_is_ready(void **state)
{
	(void)state;
	begin_for_two();
	publish_elf(&scopes[0], elfs[1]); /* whose mapping names no inode */
	gate_set(true);
	publish_named_without_waiting(&scopes[0], elfs[0], INODE);
	assert_null(file_row(INODE));
	gate_set(false);
	unwind_tables_wait(set, -1);
	assert_int_equal((u32)file_row(INODE)->table_and_flags, list_row(&scopes[0], 0)->table);
	assert_int_equal(file_row(INODE)->table_and_flags, list_row(&scopes[0], 0)->table_and_flags);
}

static void test_file_without_a_table_is_known_as_such(void **state)
{
	(void)state;
	begin_for_two();
	gate.error = -ENODATA;
	publish_named(&scopes[0], elfs[0], INODE);
	assert_int_equal(file_row(INODE)->table_and_flags, (u64)UNWIND_MAPPING_NO_TABLE << 32);
}

static void test_file_is_forgotten_when_its_table_gives_way_or_it_is_closed(void **state)
{
	(void)state;
	begin_for_two();
	publish_named(&scopes[0], elfs[0], INODE);
	publish_named(&scopes[0], elfs[1], INODE + 1);
	publish_named(&scopes[0], elfs[2], INODE + 2);
	assert_int_equal((*find_table(set, elfs[0]))->state, TABLE_EVICTED);
	assert_null(file_row(INODE));
	assert_non_null(file_row(INODE + 1));
	assert_true(unwind_tables_forget(set, elfs[1]));
	assert_null(file_row(INODE + 1));
	/* Back with another table. */
	publish_named(&scopes[0], elfs[0], INODE);
	assert_int_equal(file_row(INODE)->table_and_flags, list_row(&scopes[0], 0)->table_and_flags);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file_is_found_by_its_inode_once_its_table_is_ready),
		TEST(test_file_without_a_table_is_known_as_such),
		TEST(test_file_is_forgotten_when_its_table_gives_way_or_it_is_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
