/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file_rows.c: files by device and inode, as the programs look for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/sysmacros.h>

#include "unwind/file_rows.h"

static struct unwind_file rows[UNWIND_FILES_MAX];

static int setup(void **state)
{
	(void)state;
	memset(rows, 0, sizeof(rows));
	return 0;
}

/* As bpf/unwind.bpf.h does it; 0: not there. */
static u64 look_up(u64 inode, u64 device)
{
	for (u32 i = 0; i < UNWIND_FILE_PROBES; i++) {
		const struct unwind_file *row = &rows[(unwind_file_place(inode, device) + i) % UNWIND_FILES_MAX];

		if (row->inode == inode && row->device == device)
			return row->table_and_flags;
	}
	return 0;
}

static void test_entered_file_is_found_by_the_kernels_name_of_its_device(void **state)
{
	(void)state;
	assert_true(file_rows_enter(rows, makedev(8, 4098), 77, 5));
	assert_int_equal(look_up(77, 8 << 20 | 4098), 5);
	assert_int_equal(look_up(77, 8 << 20 | 4099), 0);
	assert_int_equal(look_up(78, 8 << 20 | 4098), 0);
}

static void test_entered_again_has_what_is_known_now(void **state)
{
	(void)state;
	assert_true(file_rows_enter(rows, makedev(0, 40), 77, 5));
	assert_true(file_rows_enter(rows, makedev(0, 40), 77, 6));
	assert_int_equal(look_up(77, 40), 6);
	file_rows_remove(rows, makedev(0, 40), 77);
	assert_int_equal(look_up(77, 40), 0);
	for (u32 i = 0; i < UNWIND_FILES_MAX; i++)
		assert_int_equal(rows[i].inode, 0);
}

/* Until one has no place: then all others are found, and where one goes another has room. */
static void test_many_files_are_found_and_make_room(void **state)
{
	u64 entered = 0;

	(void)state;
	while (file_rows_enter(rows, makedev(0, 40), entered + 1, entered + 1))
		entered++;
	assert_true(entered > UNWIND_FILES_MAX / 4);
	for (u64 i = 1; i <= entered; i++)
		assert_int_equal(look_up(i, 40), i);
	for (u64 i = 1; i <= entered; i++)
		file_rows_remove(rows, makedev(0, 40), i);
	assert_true(file_rows_enter(rows, makedev(0, 40), entered + 1, 9));
	assert_int_equal(look_up(entered + 1, 40), 9);
}

static void test_removing_what_is_not_there_changes_nothing(void **state)
{
	(void)state;
	assert_true(file_rows_enter(rows, makedev(0, 40), 77, 5));
	file_rows_remove(rows, makedev(0, 41), 77);
	file_rows_remove(rows, 0, 0);
	assert_int_equal(look_up(77, 40), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_entered_file_is_found_by_the_kernels_name_of_its_device, setup),
		cmocka_unit_test_setup(test_entered_again_has_what_is_known_now, setup),
		cmocka_unit_test_setup(test_many_files_are_found_and_make_room, setup),
		cmocka_unit_test_setup(test_removing_what_is_not_there_changes_nothing, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
