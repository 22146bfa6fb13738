/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_dynamic.c on a library of this machine, whole, without its section headers, and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binary/elf_dynamic.h"

static char library[4096];

static int find_library(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	if (!strstr(info->dlpi_name, "/libcmocka.so"))
		return 0;
	strcpy(library, info->dlpi_name);
	return 1;
}

struct copy {
	u8 *bytes;
	size_t size;
};

static struct copy copy_library(void)
{
	int fd = open(library, O_RDONLY | O_CLOEXEC);
	struct copy copy;
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	copy.size = (size_t)status.st_size;
	copy.bytes = malloc(copy.size);
	assert_int_equal(read(fd, copy.bytes, copy.size), copy.size);
	close(fd);
	return copy;
}

/* Ends the copy. */
static struct elf *open_copy(struct copy *copy)
{
	int fd = memfd_create("copy", MFD_CLOEXEC);
	struct elf *elf = NULL;

	assert_int_equal(write(fd, copy->bytes, copy->size), copy->size);
	free(copy->bytes);
	if (elf_open(fd, "copy", &elf))
		return NULL;
	return elf;
}

static void drop_sections(struct copy *copy)
{
	Elf64_Ehdr *header = (void *)copy->bytes;

	header->e_shoff = 0;
	header->e_shnum = header->e_shstrndx = 0;
}

struct seen {
	u64 assert_true, count;
};

static int see(const struct elf_symbol *symbol, void *arg)
{
	struct seen *seen = arg;

	seen->count++;
	if (!strcmp(symbol->name, "_assert_true"))
		seen->assert_true = symbol->offset;
	return 0;
}

static void test_dynamic_has_what_the_sections_have(void **state)
{
	struct copy whole = copy_library(), bare = copy_library();
	struct seen by_sections = {0}, without = {0};
	struct elf *elf = open_copy(&whole);

	(void)state;
	assert_int_equal(elf_for_each_function(elf, see, &by_sections), 0);
	elf_free(elf);
	drop_sections(&bare);
	elf = open_copy(&bare);
	assert_int_equal(elf_for_each_function(elf, see, &without), 0);
	elf_free(elf);
	assert_true(by_sections.assert_true);
	assert_int_equal(without.assert_true, by_sections.assert_true);
	assert_int_equal(without.count, by_sections.count);
}

static void test_dynamic_knows_its_name_and_what_it_uses(void **state)
{
	struct copy copy = copy_library();
	struct elf *elf = open_copy(&copy);
	struct elf_dynamic *dynamic;

	(void)state;
	assert_int_equal(elf_dynamic_open(elf, &dynamic), 0);
	assert_string_equal(elf_dynamic_soname(dynamic), "libcmocka.so.0");
	assert_true(elf_dynamic_imports(dynamic, "malloc"));
	assert_false(elf_dynamic_imports(dynamic, "_assert_true"));
	assert_false(elf_dynamic_imports(dynamic, "nothing"));
	elf_dynamic_free(dynamic);
	elf_free(elf);
}

/* Found as the loader finds it: a relocation of malloc's somewhere among the slots. */
static void test_dynamic_slots_have_the_names_of_functions(void **state)
{
	struct copy copy = copy_library();
	struct elf *elf = open_copy(&copy);
	struct elf_dynamic *dynamic;
	unsigned int found = 0;
	const char *name;
	u64 vaddr;

	(void)state;
	assert_int_equal(elf_dynamic_open(elf, &dynamic), 0);
	for (u64 slot = 0; slot < 1 << 20; slot += sizeof(u64)) {
		if (elf_dynamic_slot(dynamic, slot, &name, &vaddr))
			continue;
		found += !strcmp(name, "malloc") && !vaddr;
	}
	assert_int_equal(found, 1);
	assert_int_equal(elf_dynamic_slot(dynamic, 1, &name, &vaddr), -ENOENT);
	elf_dynamic_free(dynamic);
	elf_free(elf);
}

/* Each word of the dynamic segment, and of the tables that it names, holds something else in turn: nothing breaks. */
static void test_dynamic_damaged_is_refused_or_read_in_bounds(void **state)
{
	static const u64 values[] = {0, 1, 0x7fffffff, 0xfffffff0, UINT64_MAX / 2, UINT64_MAX};
	struct copy copy = copy_library();
	const Elf64_Ehdr *header = (void *)copy.bytes;
	const Elf64_Phdr *segments = (void *)(copy.bytes + header->e_phoff);
	u64 begin = 0, words = 0;

	(void)state;
	for (int i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_DYNAMIC) {
			begin = segments[i].p_offset;
			words = segments[i].p_filesz / sizeof(u64);
		}
	assert_true(words);
	free(copy.bytes);
	for (u64 i = 0; i < words; i++) {
		for (size_t j = 0; j < sizeof(values) / sizeof(*values); j++) {
			struct copy damaged = copy_library();
			struct elf_dynamic *dynamic = NULL;
			struct seen seen = {0};
			struct elf *elf;

			memcpy(damaged.bytes + begin + i * sizeof(u64), &values[j], sizeof(u64));
			drop_sections(&damaged);
			elf = open_copy(&damaged);
			assert_non_null(elf);
			elf_for_each_function(elf, see, &seen);
			if (!elf_dynamic_open(elf, &dynamic))
				elf_dynamic_imports(dynamic, "malloc");
			elf_dynamic_free(dynamic);
			elf_free(elf);
		}
	}
}

static void test_dynamic_of_a_file_without_is_none(void **state)
{
	struct copy copy = copy_library();
	Elf64_Ehdr *header = (void *)copy.bytes;
	Elf64_Phdr *segments = (void *)(copy.bytes + header->e_phoff);
	struct elf_dynamic *dynamic = NULL;
	struct elf *elf;

	(void)state;
	for (int i = 0; i < header->e_phnum; i++)
		if (segments[i].p_type == PT_DYNAMIC)
			segments[i].p_type = PT_NULL;
	elf = open_copy(&copy);
	assert_int_equal(elf_dynamic_open(elf, &dynamic), -ENOENT);
	assert_null(dynamic);
	elf_free(elf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dynamic_has_what_the_sections_have),
		cmocka_unit_test(test_dynamic_knows_its_name_and_what_it_uses),
		cmocka_unit_test(test_dynamic_slots_have_the_names_of_functions),
		cmocka_unit_test(test_dynamic_damaged_is_refused_or_read_in_bounds),
		cmocka_unit_test(test_dynamic_of_a_file_without_is_none),
	};

	if (!dl_iterate_phdr(find_library, NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
