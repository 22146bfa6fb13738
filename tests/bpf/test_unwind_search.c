/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unwind.bpf.h: the searches at their borders, and how the snapshot of the stack is read. */
#include "walk.h"

/* --- the searches --- */

static void test_unwind_find_mapping_among_none(void **state)
{
	(void)state;
	assert_int_equal(unwind_find_mapping(0, CODE), UNWIND_NOTHING);
	assert_int_equal(unwind_find_mapping(1ULL << 32, CODE), UNWIND_NOTHING);
}

static void test_unwind_find_mapping_of_one_at_its_borders(void **state)
{
	(void)state;
	assert_int_equal(unwind_find_mapping(1, CODE - 1), UNWIND_NOTHING);
	assert_int_equal(unwind_find_mapping(1, CODE), 0);
	assert_int_equal(unwind_find_mapping(1, CODE + CODE_BYTES - 1), 0);
	assert_int_equal(unwind_find_mapping(1, CODE + CODE_BYTES), UNWIND_NOTHING);
}

static void test_unwind_find_mapping_of_thousand_each_and_the_gaps(void **state)
{
	enum {
		MANY = 1000,
		FIRST = 500,
		STEP = 0x2000
	};
	u64 list = (u64)FIRST << 32 | MANY;

	(void)state;
	for (u32 i = 0; i < MANY; i++)
		table_map(FIRST + i,
			  (struct unwind_mapping){.start = CODE + i * STEP, .end = CODE + i * STEP + 0x1000});
	for (u32 i = 0; i < MANY; i++) {
		u64 start = CODE + i * STEP;

		assert_int_equal(unwind_find_mapping(list, start), FIRST + i);
		assert_int_equal(unwind_find_mapping(list, start + 0xfff), FIRST + i);
		assert_int_equal(unwind_find_mapping(list, start + 0x1000), UNWIND_NOTHING);
		assert_int_equal(unwind_find_mapping(list, start - 1), UNWIND_NOTHING);
	}
}

static void test_unwind_find_mapping_list_out_of_bounds_finds_nothing(void **state)
{
	(void)state;
	assert_int_equal(unwind_find_mapping((u64)UNWIND_MAPPINGS_MAX << 32 | 10, CODE), UNWIND_NOTHING);
	assert_int_equal(unwind_find_mapping(~0ULL, CODE), UNWIND_NOTHING);
}

static void test_unwind_mapping_found_last_is_not_anothers(void **state)
{
	(void)state;
	/* Another process's, at the same address. */
	table_map(9, (struct unwind_mapping){.start = CODE, .end = CODE + CODE_BYTES});
	regs.ip = in(RULE_END);
	unwind(&regs, 9ULL << 32 | 1, 0, false, &scratch);
	assert_walk(UNWIND_NO_TABLE, 1);
	walk_from(in(RULE_END));
	assert_walk(UNWIND_COMPLETE, 1);
}

static void test_unwind_other_file_and_back(void **state)
{
	static const struct table_row row = {.offset = 0, .rule = RULE_SP_BP};

	(void)state;
	table_write(OTHER_TABLE, 2, &row, 1);
	table_map(1, (struct unwind_mapping){.start = OTHER_CODE,
					     .end = OTHER_CODE + 0x1000,
					     .file_offset = 0x11000,
					     .table = OTHER_TABLE});
	put(2, OTHER_CODE + 0x1000);
	put(4, 99);
	put(5, in(RULE_SP));
	put(8, OTHER_CODE + 1);
	put(10, 98);
	put(11, in(RULE_END));
	walk_from(in(RULE_SP));
	assert_walk(UNWIND_COMPLETE, 5);
	assert_int_equal(scratch.walk.registers.bp, 98);
}

static void test_unwind_find_rule_first_last_and_page_borders(void **state)
{
	static const struct table_row rows[] = {
		{0, 1}, {1, 2}, {0xffff, 3}, {0x10000, 4}, {0x10001, 5}, {0x30000, 6}, {0x3fffe, 7}, {0x3ffff, 8},
	};
	static const struct table_row expected[] = {
		{0, 1},	      {1, 2},	    {2, 2},	  {0xfffe, 2},	{0xffff, 3},
		{0x10000, 4}, {0x10001, 5}, {0x1ffff, 5}, {0x20000, 5}, {0x2ffff, 5},
		{0x30000, 6}, {0x30001, 6}, {0x3fffd, 6}, {0x3fffe, 7}, {0x3ffff, 8},
	};

	(void)state;
	for (u32 index = 5000; index <= 5001; index++) {
		table_write(index, 4, rows, sizeof(rows) / sizeof(rows[0]));
		for (u32 i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
			assert_int_equal(unwind_find_rule(index, expected[i].offset), expected[i].rule);
		assert_int_equal(unwind_find_rule(index, 0x40000), UNWIND_NOTHING);
		assert_int_equal(unwind_find_rule(index, ~0ULL), UNWIND_NOTHING);
	}
}

static void test_unwind_find_rule_in_a_page_of_every_size(void **state)
{
	static struct table_row rows[1000];

	(void)state;
	for (u32 count = 1; count <= 1000; count += 37) {
		for (u32 i = 0; i < count; i++)
			rows[i] = (struct table_row){.offset = 3 * i, .rule = 2 * i};
		table_write(5000, 1, rows, count);
		for (u32 i = 0; i < count; i++)
			for (u32 offset = 3 * i; offset < 3 * i + 3; offset++)
				assert_int_equal(unwind_find_rule(5000, offset), 2 * i);
		assert_int_equal(unwind_find_rule(5000, 0xffff), 2 * (count - 1));
	}
}

static void test_unwind_find_rule_in_a_full_page(void **state)
{
	(void)state;
	table_word(5000, 1);
	table_word(5001, 3);
	table_word(5002, 3 + 65536);
	for (u32 i = 0; i < 65536; i++)
		table_word(5003 + i, i | i << 16);
	for (u32 i = 0; i < 65536; i++)
		assert_int_equal(unwind_find_rule(5000, i), i);
}

static void test_unwind_find_rule_in_a_corrupt_table_ends(void **state)
{
	(void)state;
	table_word(5000, 1);
	table_word(5001, 7);
	table_word(5002, 7);
	assert_int_equal(unwind_find_rule(5000, 5), UNWIND_NOTHING);
	table_word(5002, 0xffffffff);
	unwind_find_rule(5000, 5);
	table_word(5001, 0);
	unwind_find_rule(5000, 5);
	assert_int_equal(unwind_find_rule(UNWIND_ROWS_MAX, 5), UNWIND_NOTHING);
	assert_int_equal(unwind_find_rule(0xffffffff, 5), UNWIND_NOTHING);
}

/* --- the snapshot --- */

static u64 load(u64 addr)
{
	assert_int_equal(unwind_load(&scratch, addr), 0);
	return scratch.walk.word;
}

static void test_unwind_load_every_word_from_every_start(void **state)
{
	(void)state;
	for (u32 i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
		memory[i] = i;
	for (u32 start = 0; start < PAGE_BYTES; start += 200) {
		scratch.raw.sp = (uintptr_t)memory + start;
		unwind_snapshot_from(&scratch, scratch.raw.sp);
		for (u64 addr = scratch.raw.sp; addr < scratch.raw.sp + RAW_STACK_BYTES + 64; addr += sizeof(u64))
			assert_int_equal(load(addr), (addr - (uintptr_t)memory) / sizeof(u64));
		assert_int_equal(scratch.raw.size, RAW_STACK_BYTES);
		if (start)
			assert_int_equal(load(scratch.raw.sp - 8), start / 8 - 1);
	}
}

static void test_unwind_load_far_word_first(void **state)
{
	(void)state;
	scratch.raw.sp = (uintptr_t)memory + 4000;
	unwind_snapshot_from(&scratch, scratch.raw.sp);
	memory[(4000 + RAW_STACK_BYTES - 8) / 8] = 42;
	assert_int_equal(load(scratch.raw.sp + RAW_STACK_BYTES - 8), 42);
	assert_int_equal(scratch.raw.size, RAW_STACK_BYTES);
}

static void test_unwind_load_unaligned_word(void **state)
{
	(void)state;
	scratch.raw.sp = (uintptr_t)memory;
	unwind_snapshot_from(&scratch, scratch.raw.sp);
	memory[0] = 0x1122334455667788;
	memory[1] = 0x99aabbccddeeff00;
	assert_true(load((uintptr_t)memory + 4) == 0xddeeff0011223344);
	/* A stack pointer that is not aligned at all: words across the snapshot's end too. */
	scratch.raw.sp = (uintptr_t)memory + 4;
	unwind_snapshot_from(&scratch, scratch.raw.sp);
	for (u32 i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
		memory[i] = (u64)i << 32 | i;
	for (u32 i = 0; i < 3 * PAGE_BYTES / 8; i++)
		assert_true(load(scratch.raw.sp + 8 * i) == ((u64)(i + 1) << 32 | i));
}

static void test_unwind_load_ends_with_the_stack(void **state)
{
	(void)state;
	for (u32 left = 8; left < RAW_STACK_BYTES; left += 504) {
		scratch.raw.sp = stub.memory_end - left;
		unwind_snapshot_from(&scratch, scratch.raw.sp);
		load(stub.memory_end - 8);
		assert_int_equal(unwind_load(&scratch, stub.memory_end), -1);
		assert_int_equal(unwind_load(&scratch, stub.memory_end - 4), -1);
		assert_int_equal(scratch.raw.size, left);
	}
}

static void test_unwind_load_beyond_the_snapshot_begins_another_with_the_frame(void **state)
{
	u64 first = (uintptr_t)memory, sp = first + RAW_STACK_BYTES + 40;

	(void)state;
	for (u32 i = 0; i < sizeof(memory) / sizeof(memory[0]); i++)
		memory[i] = i;
	unwind_snapshot_from(&scratch, first);
	scratch.walk.registers.sp = sp;
	assert_int_equal(load(first), 0);
	assert_int_equal(load(sp + 8), (sp + 8 - first) / 8);
	assert_true(scratch.walk.window == sp);
	assert_int_equal(scratch.raw.size, PAGE_BYTES - 40);
	/* What is not of the frame is read alone. */
	assert_int_equal(load(first + 16), 2);
	assert_int_equal(load(sp + RAW_STACK_BYTES), (sp + RAW_STACK_BYTES - first) / 8);
	assert_true(scratch.walk.window == sp);
	assert_int_equal(scratch.raw.size, PAGE_BYTES - 40);
}

static void test_unwind_reads_no_stack_that_it_does_not_need(void **state)
{
	(void)state;
	put(2, in(RULE_END));
	walk_from(in(RULE_SP));
	assert_int_equal(scratch.raw.size, PAGE_BYTES - START * sizeof(u64));
}

/* --- rules found before --- */

/* The rule at a page's offset, through a mapping of the table with that number. */
static u32 found(u32 number, u64 offset)
{
	struct unwind_mapping mapping = {.table = TABLE, .flags = number << UNWIND_NUMBER_SHIFT};

	return unwind_rule_at(&mapping, offset);
}

/* All of the table's one page. */
static void table_is(u32 rule)
{
	struct table_row row = {.offset = 0, .rule = rule};

	table_write(TABLE, CODE_BYTES >> UNWIND_PAGE_SHIFT, &row, 1);
}

static void test_unwind_rule_found_before_is_not_searched_again(void **state)
{
	(void)state;
	table_is(RULE_SP);
	for (u64 offset = 0; offset < UNWIND_FOUND_MAX; offset++)
		assert_int_equal(found(1, offset), RULE_SP);
	table_is(RULE_BP);
	for (u64 offset = 0; offset < UNWIND_FOUND_MAX; offset++)
		assert_int_equal(found(1, offset), RULE_SP);
}

/* Whatever shares its place: another number, or another page of offsets. */
static void test_unwind_rule_found_before_is_of_that_table_and_offset_only(void **state)
{
	(void)state;
	for (u32 number = 1; number <= UNWIND_NUMBER_MAX; number = number * 2 + 1) {
		table_is(RULE_SP);
		assert_int_equal(found(number, 0x123), RULE_SP);
		table_is(RULE_BP);
		assert_int_equal(found(number, 0x123), RULE_SP);
		assert_int_equal(found(number, 0x123 + UNWIND_FOUND_MAX), RULE_BP);
		table_is(RULE_BX);
		assert_int_equal(found(number ^ UNWIND_FOUND_MAX, 0x123), RULE_BX);
		assert_int_equal(found(number ^ 1, 0x122), RULE_BX);
	}
}

static void test_unwind_rule_of_highest_number_and_offset_is_remembered(void **state)
{
	const u64 top = UINT32_MAX;
	struct unwind_mapping mapping = {.table = TABLE, .flags = UINT32_MAX};
	u32 place = unwind_found_place(UNWIND_NUMBER_MAX, top);
	u64 word = unwind_found_name(UNWIND_NUMBER_MAX, top) << 16 | UINT16_MAX;

	(void)state;
	bpf_map_update_elem(&unwind_found, &place, &word, BPF_ANY);
	assert_int_equal(unwind_rule_at(&mapping, top), UINT16_MAX);
	assert_int_equal(unwind_rule_at(&mapping, top + 1), UNWIND_NOTHING);
}

static void test_unwind_rule_of_table_without_number_is_searched(void **state)
{
	(void)state;
	table_is(RULE_SP);
	assert_int_equal(found(0, 0x123), RULE_SP);
	table_is(RULE_BP);
	assert_int_equal(found(0, 0x123), RULE_BP);
}

static void test_unwind_code_behind_the_table_is_not_remembered(void **state)
{
	(void)state;
	table_is(RULE_SP);
	assert_int_equal(found(1, CODE_BYTES), UNWIND_NOTHING);
	table_write(TABLE, 2 * (CODE_BYTES >> UNWIND_PAGE_SHIFT), &(struct table_row){.offset = 0, .rule = RULE_BP}, 1);
	assert_int_equal(found(1, CODE_BYTES), RULE_BP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_unwind_find_mapping_among_none),
		TEST(test_unwind_find_mapping_of_one_at_its_borders),
		TEST(test_unwind_find_mapping_of_thousand_each_and_the_gaps),
		TEST(test_unwind_find_mapping_list_out_of_bounds_finds_nothing),
		TEST(test_unwind_mapping_found_last_is_not_anothers),
		TEST(test_unwind_other_file_and_back),
		TEST(test_unwind_find_rule_first_last_and_page_borders),
		TEST(test_unwind_find_rule_in_a_page_of_every_size),
		TEST(test_unwind_find_rule_in_a_full_page),
		TEST(test_unwind_find_rule_in_a_corrupt_table_ends),
		TEST(test_unwind_load_every_word_from_every_start),
		TEST(test_unwind_load_far_word_first),
		TEST(test_unwind_load_unaligned_word),
		TEST(test_unwind_load_ends_with_the_stack),
		TEST(test_unwind_load_beyond_the_snapshot_begins_another_with_the_frame),
		TEST(test_unwind_reads_no_stack_that_it_does_not_need),
		TEST(test_unwind_rule_found_before_is_not_searched_again),
		TEST(test_unwind_rule_found_before_is_of_that_table_and_offset_only),
		TEST(test_unwind_rule_of_highest_number_and_offset_is_remembered),
		TEST(test_unwind_rule_of_table_without_number_is_searched),
		TEST(test_unwind_code_behind_the_table_is_not_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
