/* SPDX-License-Identifier: GPL-2.0-or-later */
/* private_file.c: which files are read, and how much of them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "system/private_file.h"
#include "unit/system/scratch.h"

static void test_private_file_of_others_is_not_read(void **state)
{
	static const mode_t open_modes[] = {0640, 0604, 0620, 0602, 0610, 0601};
	char bytes[16] = "untouched";
	size_t size = 99;

	(void)state;
	scratch_file("secret", "abc", 0600);
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(*open_modes); i++) {
		assert_int_equal(chmod("secret", open_modes[i]), 0);
		assert_int_equal(private_file_read("secret", bytes, sizeof(bytes), &size), -EACCES);
	}
	assert_string_equal(bytes, "untouched");
	assert_int_equal(size, 99);
	assert_int_equal(private_file_read("/nowhere/at/all", bytes, sizeof(bytes), &size), -ENOENT);
	assert_int_equal(private_file_read(".", bytes, sizeof(bytes), &size), -EISDIR);
}

static void test_private_file_is_read_up_to_the_room(void **state)
{
	char bytes[16] = {0};
	size_t size;

	(void)state;
	scratch_file("secret", "abcdef", 0400);
	assert_int_equal(private_file_read("secret", bytes, sizeof(bytes), &size), 0);
	assert_int_equal(size, 6);
	assert_memory_equal(bytes, "abcdef", 6);
	assert_int_equal(private_file_read("secret", bytes, 4, &size), 0);
	assert_int_equal(size, 4);
}

static void test_private_fifo_without_a_writer_is_empty(void **state)
{
	char bytes[16];
	size_t size;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(private_file_read("fifo", bytes, sizeof(bytes), &size), 0);
	assert_int_equal(size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_private_file_of_others_is_not_read, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_private_file_is_read_up_to_the_room, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(test_private_fifo_without_a_writer_is_empty, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("private_file", tests, NULL, NULL);
}
