/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mapped_build.c: the file under a mapping's name, for a process that has ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* What duplicating a descriptor fails with; 0: it does not. */
static int duplicate_err;

static int duplicate(int fd, int command, int lowest)
{
	errno = duplicate_err;
	return duplicate_err ? -1 : fcntl(fd, command, lowest);
}

#define fcntl duplicate

#include "probe/mapped_build.c"

/* This program, as a process that has ended had it. */
static struct mapping own_program(struct elf **ret_elf)
{
	static char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	struct mapping mapping = {.path = path};

	assert_true(length > 0);
	path[length] = '\0';
	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, ret_elf), 0);
	mapped_build_describe(&mapping, *ret_elf);
	assert_true(mapping.build_id_size > 0);
	mapping.inode = 0;
	return mapping;
}

static void test_file_of_the_same_build_is_opened(void **state)
{
	struct elf *elf;
	struct mapping mapping = own_program(&elf);
	int fd = mapped_build_open_own(&mapping);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	mapping.build_id[0] ^= 1;
	assert_int_equal(mapped_build_open_own(&mapping), -ESTALE);
	mapping.path = "/nothing/of/this/name";
	assert_int_equal(mapped_build_open_own(&mapping), -ENOENT);
	elf_free(elf);
}

/* It would be taken for another build, and nobody would hear what is missing. */
static void test_file_that_cannot_be_looked_at_is_not_of_another_build(void **state)
{
	struct elf *elf;
	struct mapping mapping = own_program(&elf);

	(void)state;
	duplicate_err = ENFILE;
	assert_int_equal(mapped_build_open_own(&mapping), -ENFILE);
	duplicate_err = 0;
	elf_free(elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file_of_the_same_build_is_opened),
		cmocka_unit_test(test_file_that_cannot_be_looked_at_is_not_of_another_build),
	};

	return cmocka_run_group_tests_name("mapped build", tests, NULL, NULL);
}
