/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inline/section_headers: a section more, and all others as they were; files that get none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "inline/section_headers.h"
#include "unit/inline/grafted_file.h"

static const u8 contents[] = "what debuggers read";

/* Its header, and the header's offset behind the end at which something may be added. */
static u64 read_header(const struct elf *elf, Elf64_Ehdr *ret_file)
{
	struct stat status;

	assert_int_equal(fstat(elf_fd(elf), &status), 0);
	assert_int_equal(elf_read(elf, 0, ret_file, sizeof(*ret_file)), sizeof(*ret_file));
	return ((u64)status.st_size + 7) & ~7ULL;
}

static int add(const char *path, Elf64_Ehdr *ret_file, u64 *ret_offset, struct section_addition *ret_addition)
{
	struct elf *elf = open_elf(path);
	int err;

	*ret_offset = read_header(elf, ret_file);
	err = section_headers_add(elf, ret_file, contents, sizeof(contents), *ret_offset, ret_addition);
	elf_free(elf);
	return err;
}

static void write_at(const char *path, const void *bytes, size_t size, u64 offset)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, size, (off_t)offset), size);
	close(fd);
}

static void make_library(const char *assembly)
{
	scratch_file("library.s", assembly, 0644);
	run("cc -shared -nostdlib -o library.so library.s");
}

static void test_section_is_added_and_others_stay(void **state)
{
	struct section_addition addition;
	Elf64_Ehdr file;
	struct elf *elf;
	u64 offset, size;
	u8 *bytes;

	(void)state;
	make_library(".section .other,\"a\"\n.asciz \"kept\"\n");
	run("readelf -W --sections library.so | grep '^  \\[' >before");
	assert_int_equal(add("library.so", &file, &offset, &addition), 0);
	write_at("library.so", addition.bytes, addition.size, offset);
	write_at("library.so", &file, sizeof(file), 0);
	free(addition.bytes);
	run("readelf -W --sections library.so | grep '^  \\[' | head -n -2 >after && cmp before after");
	elf = open_elf("library.so");
	assert_int_equal(elf_read_section(elf, ".debug_frame", 100, &bytes, &size, NULL), 0);
	assert_int_equal(size, sizeof(contents));
	assert_memory_equal(bytes, contents, sizeof(contents));
	free(bytes);
	assert_int_equal(elf_read_section(elf, ".other", 100, &bytes, &size, NULL), 0);
	assert_string_equal((char *)bytes, "kept");
	free(bytes);
	elf_free(elf);
	/* It has one now. */
	assert_int_equal(add("library.so", &file, &offset, &addition), 0);
	assert_null(addition.bytes);
}

static void test_file_without_sections_stays_without(void **state)
{
	struct section_addition addition;
	Elf64_Ehdr file, none;
	struct elf *elf;
	u64 offset;

	(void)state;
	make_library("nop\n");
	elf = open_elf("library.so");
	read_header(elf, &none);
	elf_free(elf);
	none.e_shoff = none.e_shnum = none.e_shstrndx = 0;
	write_at("library.so", &none, sizeof(none), 0);
	assert_int_equal(add("library.so", &file, &offset, &addition), 0);
	assert_null(addition.bytes);
	assert_memory_equal(&file, &none, sizeof(file));
}

static void test_headers_that_cannot_be_are_noticed(void **state)
{
	struct section_addition addition;
	Elf64_Ehdr file;
	u64 offset;

	(void)state;
	make_library("nop\n");
	assert_int_equal(add("library.so", &file, &offset, &addition), 0);
	free(addition.bytes);
	/* The last of its section headers is that of the names. */
	run("truncate -s -1 library.so");
	assert_int_equal(add("library.so", &file, &offset, &addition), -EBADMSG);
	assert_null(addition.bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_section_is_added_and_others_stay),
		TEST(test_file_without_sections_stays_without),
		TEST(test_headers_that_cannot_be_are_noticed),
	};

	return cmocka_run_group_tests_name("section_headers", tests, NULL, NULL);
}
