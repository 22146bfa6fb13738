/* SPDX-License-Identifier: GPL-2.0-or-later */
/* translator.c: which executables translate other programs, and which files a process maps in any way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "system/mapped_by.h"
#include "system/translator.h"

static void assert_is(const char *path, const char *expected)
{
	const char *found = translator_named(path);

	if (strcmp(found ? found : "none", expected) != 0)
		fail_msg("%s is taken for %s", path, found ? found : "none");
}

static void test_translators_are_known_by_their_executables(void **state)
{
	(void)state;
	assert_is("/usr/bin/valgrind", "valgrind");
	assert_is("valgrind.bin", "valgrind");
	assert_is("/usr/libexec/valgrind/memcheck-amd64-linux", "valgrind");
	assert_is("/usr/lib/valgrind/none-amd64-linux", "valgrind");
	assert_is("/opt/tool/own-tool-amd64-linux", "valgrind");
	assert_is("/usr/bin/qemu-x86_64", "qemu-user");
	assert_is("/usr/bin/qemu-x86_64-static", "qemu-user");
	assert_is("/usr/bin/buildkit-qemu-x86_64", "qemu-user");
	assert_is("/usr/libexec/qemu-binfmt/x86_64-binfmt-P", "qemu-user");
	assert_is("/opt/pin/intel64/bin/pinbin", "Pin");
	assert_is("/opt/dynamorio/bin64/drrun", "DynamoRIO");
}

static void test_other_programs_are_none(void **state)
{
	static const char *const others[] = {"/usr/bin/qemu-system-x86_64",
					     "/usr/bin/qemu-img",
					     "/usr/bin/qemu-aarch64-static",
					     "/usr/bin/python3.11",
					     "/usr/bin/valgrind-listener",
					     "/home/valgrind/prog",
					     "pinentry",
					     "/",
					     ""};
	const char *name;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_is(others[i], "none");
	assert_int_equal(translator_of(getpid(), &name), 0);
	assert_null(name);
}

/* A file that is only mapped for reading counts: qemu reads the code that it translates. */
static void test_file_is_mapped_in_any_way(void **state)
{
	struct mapped_by_file file = {.path = "/proc/self/exe"};
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	struct stat stat_buffer;
	void *mapping;

	(void)state;
	assert_int_equal(fstat(fd, &stat_buffer), 0);
	file.device = stat_buffer.st_dev;
	file.inode = stat_buffer.st_ino;
	assert_int_equal(translator_maps(getpid(), &file), 0);
	mapping = mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(mapping, MAP_FAILED);
	assert_int_equal(translator_maps(getpid(), &file), 1);
	file.inode++;
	assert_int_equal(translator_maps(getpid(), &file), 0);
	munmap(mapping, 1);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_translators_are_known_by_their_executables),
		cmocka_unit_test(test_other_programs_are_none),
		cmocka_unit_test(test_file_is_mapped_in_any_way),
	};

	return cmocka_run_group_tests_name("translator", tests, NULL, NULL);
}
