/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moving_text.c: a file that names the way in which it moves its code, as this one does, and files that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "binary/elf.h"
#include "probe/moving_text.h"

/* As C++ mangles node's. */
asm(".pushsection .text\n"
    ".type _ZN4node26MoveTextRegionToLargePagesE, @function\n"
    "_ZN4node26MoveTextRegionToLargePagesE: ret\n"
    ".size _ZN4node26MoveTextRegionToLargePagesE, 1\n"
    ".popsection\n");

static const char *find(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct elf *elf;
	const char *found;

	assert_true(fd >= 0);
	assert_int_equal(elf_open(fd, path, &elf), 0);
	found = moving_text_find(elf);
	elf_free(elf);
	return found;
}

static void test_file_with_such_a_function_is_told(void **state)
{
	const char *found = find("/proc/self/exe");

	(void)state;
	assert_non_null(found);
	assert_string_equal(found, "RegionToLargePages");
}

static void test_other_files_are_not(void **state)
{
	(void)state;
	assert_null(find("/bin/sh"));
	assert_null(find("/bin/ls"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_with_such_a_function_is_told),
		cmocka_unit_test(test_other_files_are_not),
	};

	return cmocka_run_group_tests_name("moving_text", tests, NULL, NULL);
}
