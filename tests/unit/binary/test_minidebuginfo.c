/* SPDX-License-Identifier: GPL-2.0-or-later */
/* symbolizer.c with debug_file.c: names that are packed in the program itself. */
#include "stripped_root.h"

#include <errno.h>

#include "binary/debug_file.h"

/* As Fedora makes it: the functions that .dynsym lacks, packed. */
static void pack_symbols(const char *source)
{
	run("xz --keep --stdout %s > packed.xz && objcopy --add-section .gnu_debugdata=packed.xz stripped.so "
	    "app/mini.so",
	    source);
}

static void test_debugdata_names_what_is_not_exported(void **state)
{
	struct found found;

	(void)state;
	run("strip -g -o mini.debug names.debug");
	pack_symbols("mini.debug");
	found = look_up("/app/mini.so", "mark_hidden");
	assert_int_equal(found.count, 1);
	assert_string_equal(found.function, "hidden");
	found = look_up("/app/mini.so", "mark_inner");
	assert_string_equal(found.function, "outer");
}

static int unpack_error(void)
{
	struct elf *elf = open_elf("/app/mini.so"), *debug;
	int err = debug_file_unpack(elf, &debug);

	elf_free(elf);
	return err;
}

static void test_debugdata_that_unfolds_to_gigabytes_is_refused(void **state)
{
	(void)state;
	run("head -c 200M /dev/zero > zeros");
	pack_symbols("zeros");
	assert_int_equal(unpack_error(), -EFBIG);
}

static void test_debugdata_damaged_or_no_elf_is_an_error(void **state)
{
	(void)state;
	run("strip -g -o mini.debug names.debug");
	pack_symbols("mini.debug");
	run("head -c 100 packed.xz > cut && objcopy --update-section .gnu_debugdata=cut app/mini.so");
	assert_int_equal(unpack_error(), -EBADMSG);
	run("echo 'no xz' > cut && objcopy --update-section .gnu_debugdata=cut app/mini.so");
	assert_int_equal(unpack_error(), -EBADMSG);
	run("echo 'no ELF' | xz > cut && objcopy --update-section .gnu_debugdata=cut app/mini.so");
	assert_int_equal(unpack_error(), -ENOEXEC);
	assert_nothing("/app/mini.so");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_debugdata_names_what_is_not_exported),
		CASE(test_debugdata_that_unfolds_to_gigabytes_is_refused),
		CASE(test_debugdata_damaged_or_no_elf_is_an_error),
	};

	unsetenv("DEBUGINFOD_URLS");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
