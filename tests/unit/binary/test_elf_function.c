/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_symbols.c: the functions of a small file built field by field, of damaged copies of it, and of the libc this test runs with. */
#include <dlfcn.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>

#include "binary/elf_symbols.h"
#include "elf_image.h"

struct seen {
	unsigned int count, stop_at;
	struct {
		char name[16];
		u64 offset, size;
	} function[8];
};

static int note_function(const struct elf_symbol *symbol, void *arg)
{
	struct seen *seen = arg;

	assert_true(seen->count < ARRAY_LENGTH(seen->function));
	assert_in_range(snprintf(seen->function[seen->count].name, sizeof(seen->function[0].name), "%s", symbol->name),
			1, sizeof(seen->function[0].name) - 1);
	seen->function[seen->count].offset = symbol->offset;
	seen->function[seen->count].size = symbol->size;
	seen->count++;
	return seen->count == seen->stop_at ? 42 : 0;
}

static void test_elf_for_each_function_names_defined_functions_dynsym_first(void **state)
{
	u64 code = offsetof(struct image, code);
	struct seen seen = {0};
	struct image image;
	struct elf *elf;

	(void)state;
	image_init(&image);
	elf = image_must_open(&image);
	assert_int_equal(elf_for_each_function(elf, note_function, &seen), 0);
	assert_int_equal(seen.count, 3);
	assert_string_equal(seen.function[0].name, "malloc");
	assert_int_equal(seen.function[0].offset, code + 0x10);
	assert_int_equal(seen.function[0].size, 0x20);
	assert_string_equal(seen.function[1].name, "memalign");
	assert_int_equal(seen.function[1].offset, code + 0x40);
	assert_int_equal(seen.function[1].size, 0);
	assert_string_equal(seen.function[2].name, "last");
	assert_int_equal(seen.function[2].size, 0x10); /* cut at the end of the segment */
	elf_free(elf);
}

static void test_elf_for_each_function_stops_when_told(void **state)
{
	struct seen seen = {.stop_at = 2};
	struct image image;
	struct elf *elf;

	(void)state;
	image_init(&image);
	elf = image_must_open(&image);
	assert_int_equal(elf_for_each_function(elf, note_function, &seen), 42);
	assert_int_equal(seen.count, 2);
	elf_free(elf);
}

static int functions_of(const struct image *image)
{
	struct seen seen = {0};
	struct elf *elf = image_must_open(image);
	int err = elf_for_each_function(elf, note_function, &seen);

	elf_free(elf);
	return err ? err : (int)seen.count;
}

static void test_elf_for_each_function_damaged_tables_are_reported(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	image.dynsym[1].st_name = sizeof(image.dynstr);
	assert_int_equal(functions_of(&image), -EBADMSG);
	image_init(&image);
	memset(image.dynstr, 'x', sizeof(image.dynstr));
	assert_int_equal(functions_of(&image), -EBADMSG);
	image_init(&image);
	image.shdr[SHDR_DYNSYM].sh_size = sizeof(image);
	assert_int_equal(functions_of(&image), -EBADMSG);
	image_init(&image);
	image.shdr[SHDR_DYNSTR].sh_offset = UINT64_MAX - 4;
	assert_int_equal(functions_of(&image), -EBADMSG);
	image_init(&image);
	image.shdr[SHDR_DYNSYM].sh_link = SHDR_NOTE;
	assert_int_equal(functions_of(&image), -EBADMSG);
	image_init(&image);
	image.shdr[SHDR_DYNSYM].sh_link = UINT32_MAX;
	assert_int_equal(functions_of(&image), -EBADMSG);
}

static void test_elf_for_each_function_without_sections_finds_none(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	image.ehdr.e_shoff = image.ehdr.e_shnum = image.ehdr.e_shstrndx = 0;
	assert_int_equal(functions_of(&image), 0);
}

static void test_elf_for_each_function_huge_sparse_table_is_refused(void **state)
{
	struct seen seen = {0};
	struct image image;
	struct elf *elf;
	int fd;

	(void)state;
	image_init(&image);
	image.shdr[SHDR_DYNSYM].sh_size = (u64)1 << 30;
	fd = file_with(&image, sizeof(image));
	assert_int_equal(ftruncate(fd, (off_t)1 << 31), 0);
	assert_int_equal(elf_open(fd, "sparse", &elf), 0);
	assert_int_equal(elf_for_each_function(elf, note_function, &seen), -EFBIG);
	elf_free(elf);
}

static void test_elf_file_truncated_while_open_is_an_error(void **state)
{
	struct seen seen = {0};
	struct image image;
	struct elf *elf;
	u8 byte;

	(void)state;
	image_init(&image);
	elf = image_must_open(&image);
	assert_int_equal(ftruncate(elf_fd(elf), 100), 0);
	assert_int_equal(elf_for_each_function(elf, note_function, &seen), -EBADMSG);
	assert_int_equal(elf_read(elf, 100, &byte, 1), 0);
	elf_free(elf);
}

static int touch_function(const struct elf_symbol *symbol, void *arg)
{
	*(u64 *)arg += symbol->offset + symbol->size + strlen(symbol->name);
	return 0;
}

/* Whatever the bytes are: no crash, no read outside (the sanitizers watch), only errors of the contract. */
static void exercise(const void *bytes, size_t size)
{
	struct elf *elf;
	u64 sum = 0;
	int err = elf_open(file_with(bytes, size), "damaged", &elf);

	if (err) {
		if (err != -ENOEXEC && err != -EBADMSG)
			fail_msg("elf_open: %d", err);
		return;
	}
	err = elf_for_each_function(elf, touch_function, &sum);
	assert_true(err == 0 || err == -EBADMSG);
	elf_free(elf);
}

static void test_elf_truncated_anywhere_never_crashes(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	for (size_t size = 0; size < sizeof(image); size++)
		exercise(&image, size);
}

static void test_elf_with_random_bytes_never_crashes(void **state)
{
	struct image image;

	(void)state;
	srandom(1);
	for (int round = 0; round < 5000; round++) {
		image_init(&image);
		for (long changes = random() % 8; changes >= 0; changes--)
			((u8 *)&image)[(size_t)random() % sizeof(image)] = (u8)random();
		exercise(&image, sizeof(image));
	}
}

static int find_version_function(const struct elf_symbol *symbol, void *arg)
{
	if (strcmp(symbol->name, "gnu_get_libc_version") != 0)
		return 0;
	*(struct elf_symbol *)arg = *symbol;
	return 1;
}

static void test_elf_symbol_offset_in_real_libc_is_where_its_code_stands(void **state)
{
	struct elf_symbol symbol = {0};
	u8 code[8];
	struct elf *elf;
	Dl_info info;
	u64 vaddr;

	(void)state;
	assert_true(dladdr((const void *)(uintptr_t)gnu_get_libc_version, &info));
	assert_int_equal(elf_open(open(info.dli_fname, O_RDONLY | O_CLOEXEC), info.dli_fname, &elf), 0);
	assert_int_equal(elf_for_each_function(elf, find_version_function, &symbol), 1);
	assert_int_equal(elf_offset_to_vaddr(elf, symbol.offset, &vaddr), 0);
	assert_int_equal((uintptr_t)info.dli_fbase + vaddr, (uintptr_t)gnu_get_libc_version);
	assert_int_equal(elf_read(elf, symbol.offset, code, sizeof(code)), sizeof(code));
	assert_memory_equal(code, (const void *)(uintptr_t)gnu_get_libc_version, sizeof(code));
	elf_free(elf);
}

static int count_function(const struct elf_symbol *symbol, void *arg)
{
	(void)symbol;
	++*(u64 *)arg;
	return 0;
}

/* A file of 4 MiB, of which each symbol's name is nearly the whole: what is over the budget is not walked. */
static void test_elf_for_each_function_names_that_share_bytes_are_refused(void **state)
{
	enum {
		NAME_BYTES = 4 << 20,
		SYMBOLS = 4096
	};
	struct {
		struct image image;
		Elf64_Sym symbols[SYMBOLS];
		char names[NAME_BYTES];
	} *file = malloc(sizeof(*file));
	struct symbol_table *symtab;
	struct elf *elf;
	u64 seen = 0;

	(void)state;
	assert_non_null(file);
	image_init(&file->image);
	for (u32 i = 0; i < SYMBOLS; i++)
		file->symbols[i] = function(i, 1, CODE_VADDR + i % 256, 1);
	memset(file->names, 'x', NAME_BYTES - 1);
	file->names[NAME_BYTES - 1] = '\0';
	set_shdr(&file->image, SHDR_SYMTAB, SHT_SYMTAB, offsetof(typeof(*file), symbols), sizeof(file->symbols),
		 SHDR_STRTAB);
	set_shdr(&file->image, SHDR_STRTAB, SHT_STRTAB, offsetof(typeof(*file), names), NAME_BYTES, 0);
	assert_int_equal(elf_open(file_with(file, sizeof(*file)), "hostile", &elf), 0);
	assert_int_equal(elf_for_each_function(elf, count_function, &seen), -EFBIG);
	assert_in_range(seen, 1, SYMBOLS / 2);
	assert_int_equal(symbol_table_new(elf, NULL, &symtab), 0);
	symbol_table_free(symtab);
	elf_free(elf);
	free(file);
}

static void test_elf_of_too_many_segments_is_refused(void **state)
{
	struct {
		struct image image;
		Elf64_Phdr segments[200];
	} file = {0};
	struct elf *elf;

	(void)state;
	image_init(&file.image);
	for (size_t i = 0; i < ARRAY_LENGTH(file.segments); i++)
		file.segments[i] = file.image.phdr[PHDR_CODE];
	file.image.ehdr.e_phoff = offsetof(typeof(file), segments);
	file.image.ehdr.e_phnum = ARRAY_LENGTH(file.segments);
	assert_int_equal(elf_open(file_with(&file, sizeof(file)), "hostile", &elf), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf_for_each_function_names_defined_functions_dynsym_first),
		cmocka_unit_test(test_elf_for_each_function_stops_when_told),
		cmocka_unit_test(test_elf_for_each_function_damaged_tables_are_reported),
		cmocka_unit_test(test_elf_for_each_function_without_sections_finds_none),
		cmocka_unit_test(test_elf_for_each_function_huge_sparse_table_is_refused),
		cmocka_unit_test(test_elf_for_each_function_names_that_share_bytes_are_refused),
		cmocka_unit_test(test_elf_of_too_many_segments_is_refused),
		cmocka_unit_test(test_elf_file_truncated_while_open_is_an_error),
		cmocka_unit_test(test_elf_truncated_anywhere_never_crashes),
		cmocka_unit_test(test_elf_with_random_bytes_never_crashes),
		cmocka_unit_test(test_elf_symbol_offset_in_real_libc_is_where_its_code_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
