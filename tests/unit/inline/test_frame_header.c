/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frame_header.c: on tables made here, and on the one of the libc that this test runs with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>

#include "inline/frame_header.h"

#define ADDRESS	 0x20000ULL
#define EH_FRAME 0x30000ULL

/* Two functions, as binutils and lld write them. */
struct table {
	u8 formats[4];
	s32 eh_frame;
	u32 count;
	s32 rows[2][2];
};

static struct table table(void)
{
	return (struct table){
		.formats = {1, 0x1b, 0x03, 0x3b},
		.eh_frame = (s32)(EH_FRAME - (ADDRESS + 4)),
		.count = 2,
		.rows = {{-0x10000, 0x10010}, {-0x8000, 0x10030}},
	};
}

static int read_table(const struct table *table, size_t size, struct frame_header *ret_header)
{
	return frame_header_read((const u8 *)table, size, ADDRESS, ret_header);
}

static void test_read_gives_addresses(void **state)
{
	struct table two = table();
	struct frame_header header;

	(void)state;
	assert_int_equal(read_table(&two, sizeof(two), &header), 0);
	assert_int_equal(header.eh_frame, EH_FRAME);
	assert_int_equal(header.count, 2);
	assert_int_equal(header.rows[0].function, 0x10000);
	assert_int_equal(header.rows[0].entry, 0x30010);
	assert_int_equal(header.rows[1].function, 0x18000);
	assert_int_equal(header.rows[1].entry, 0x30030);
	frame_header_release(&header);
}

static void test_read_refuses_other_formats(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct table two = table();
		struct frame_header header;

		two.formats[i] ^= 0x80;
		assert_int_equal(read_table(&two, sizeof(two), &header), -EOPNOTSUPP);
		frame_header_release(&header);
	}
}

static void test_read_believes_no_count(void **state)
{
	struct table two = table();
	struct frame_header header;

	(void)state;
	assert_int_equal(read_table(&two, sizeof(two) - 1, &header), -EBADMSG);
	frame_header_release(&header);
	two.count = UINT32_MAX;
	assert_int_equal(read_table(&two, sizeof(two), &header), -EBADMSG);
	frame_header_release(&header);
	assert_int_equal(read_table(&two, 11, &header), -EOPNOTSUPP);
	frame_header_release(&header);
}

static void test_write_for_the_same_place_is_what_was_read(void **state)
{
	struct table two = table(), written;
	struct frame_header header;

	(void)state;
	assert_int_equal(read_table(&two, sizeof(two), &header), 0);
	assert_int_equal(frame_header_size(&header), sizeof(two));
	assert_int_equal(frame_header_write(&header, ADDRESS, (u8 *)&written), 0);
	assert_memory_equal(&written, &two, sizeof(two));
	frame_header_release(&header);
}

static void test_write_elsewhere_means_the_same_functions(void **state)
{
	struct table two = table(), written;
	struct frame_header header, again;

	(void)state;
	assert_int_equal(read_table(&two, sizeof(two), &header), 0);
	assert_int_equal(frame_header_write(&header, 0x700000, (u8 *)&written), 0);
	assert_int_equal(frame_header_read((u8 *)&written, sizeof(written), 0x700000, &again), 0);
	assert_int_equal(again.eh_frame, EH_FRAME);
	assert_int_equal(again.count, 2);
	assert_memory_equal(again.rows, header.rows, 2 * sizeof(header.rows[0]));
	frame_header_release(&again);
	assert_int_equal(frame_header_write(&header, 0x90000000, (u8 *)&written), -ERANGE);
	frame_header_release(&header);
}

/* --- another .eh_frame --- */

/* A common entry and two functions' of it, at 0x40000; the end. */
struct entries {
	u32 common_length, common_zero;
	u8 common[12];
	struct {
		u32 length, common;
		s32 function;
		u32 size;
		u8 rest[8];
	} functions[2];
	u32 end;
};
#define ENTRIES 0x40000ULL

static struct entries entries(void)
{
	struct entries two = {
		.common_length = 16,
		.common = {1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b},
	};

	for (u32 i = 0; i < 2; i++) {
		u64 at = offsetof(struct entries, functions) + i * sizeof(two.functions[0]);

		two.functions[i].length = sizeof(two.functions[0]) - 4;
		two.functions[i].common = (u32)at + 4;
		two.functions[i].function = (s32)(0x50000 + 0x100 * i - (ENTRIES + at + 8));
		two.functions[i].size = 0x20;
	}
	return two;
}

static int add(struct frame_header *header, const struct entries *entries, size_t size)
{
	return frame_header_add(header, (const u8 *)entries, size, ENTRIES);
}

static void test_add_adds_each_function(void **state)
{
	struct table two = table();
	struct entries more = entries();
	struct frame_header header;

	(void)state;
	assert_int_equal(read_table(&two, sizeof(two), &header), 0);
	assert_int_equal(add(&header, &more, sizeof(more)), 0);
	assert_int_equal(header.count, 4);
	assert_int_equal(header.rows[2].function, 0x50000);
	assert_int_equal(header.rows[2].entry, ENTRIES + offsetof(struct entries, functions[0]));
	assert_int_equal(header.rows[3].function, 0x50100);
	assert_int_equal(header.rows[3].entry, ENTRIES + offsetof(struct entries, functions[1]));
	frame_header_release(&header);
	/* It need not have an empty entry at its end. */
	assert_int_equal(add(&header, &more, offsetof(struct entries, end)), 0);
	assert_int_equal(header.count, 2);
	frame_header_release(&header);
}

static void test_add_puts_functions_in_order(void **state)
{
	struct table two = table();
	struct entries more = entries();
	struct frame_header header;

	(void)state;
	more.functions[1].function -= 0x50100 - 0x14000;
	assert_int_equal(read_table(&two, sizeof(two), &header), 0);
	assert_int_equal(add(&header, &more, sizeof(more)), 0);
	assert_int_equal(header.count, 4);
	assert_int_equal(header.rows[0].function, 0x10000);
	assert_int_equal(header.rows[1].function, 0x14000);
	assert_int_equal(header.rows[1].entry, ENTRIES + offsetof(struct entries, functions[1]));
	assert_int_equal(header.rows[2].function, 0x18000);
	assert_int_equal(header.rows[3].function, 0x50000);
	frame_header_release(&header);
}

static void test_add_refuses_absolute_addresses(void **state)
{
	struct frame_header header = {0};
	struct entries more = entries();

	(void)state;
	more.common[8] = 0;
	assert_int_equal(add(&header, &more, sizeof(more)), -EOPNOTSUPP);
	frame_header_release(&header);
}

static void test_add_notices_that_bytes_are_missing(void **state)
{
	struct entries more = entries();

	(void)state;
	for (size_t size = 1; size < offsetof(struct entries, end); size++) {
		struct frame_header header = {0};
		bool whole = size == offsetof(struct entries, functions[0]) ||
			     size == offsetof(struct entries, functions[1]);

		assert_int_equal(add(&header, &more, size), whole ? 0 : -EBADMSG);
		frame_header_release(&header);
	}
}

/* --- the real one --- */

static int find_libc(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	if (!strstr(info->dlpi_name, "libc.so"))
		return 0;
	*(struct dl_phdr_info *)arg = *info;
	return 1;
}

static void test_libc_s_table_is_read_and_written(void **state)
{
	struct dl_phdr_info libc;
	u32 tables = 0;

	(void)state;
	assert_int_equal(dl_iterate_phdr(find_libc, &libc), 1);
	for (int i = 0; i < libc.dlpi_phnum; i++) {
		const ElfW(Phdr) *row = &libc.dlpi_phdr[i];
		const u8 *bytes = (const u8 *)(libc.dlpi_addr + row->p_vaddr);
		struct frame_header header;
		u8 *written;

		if (row->p_type != PT_GNU_EH_FRAME)
			continue;
		assert_int_equal(frame_header_read(bytes, row->p_memsz, row->p_vaddr, &header), 0);
		assert_true(header.count > 1000 && frame_header_size(&header) <= row->p_memsz);
		written = malloc(row->p_memsz);
		assert_int_equal(frame_header_write(&header, row->p_vaddr, written), 0);
		assert_memory_equal(written, bytes, frame_header_size(&header));
		free(written);
		frame_header_release(&header);
		tables++;
	}
	assert_int_equal(tables, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_gives_addresses),
		cmocka_unit_test(test_read_refuses_other_formats),
		cmocka_unit_test(test_read_believes_no_count),
		cmocka_unit_test(test_write_for_the_same_place_is_what_was_read),
		cmocka_unit_test(test_write_elsewhere_means_the_same_functions),
		cmocka_unit_test(test_add_adds_each_function),
		cmocka_unit_test(test_add_puts_functions_in_order),
		cmocka_unit_test(test_add_refuses_absolute_addresses),
		cmocka_unit_test(test_add_notices_that_bytes_are_missing),
		cmocka_unit_test(test_libc_s_table_is_read_and_written),
	};

	return cmocka_run_group_tests_name("frame_header", tests, NULL, NULL);
}
