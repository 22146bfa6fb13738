/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * elf.c on a small file built here, field by field, on damaged copies of it, and on the libc this test runs with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../user/elf.h"

#define CODE_VADDR	    0x401000
#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

enum {
	PHDR_INTERP,
	PHDR_DATA,
	PHDR_CODE,
	PHDR_NOTE,
	PHDR_COUNT
};
enum {
	SHDR_NULL,
	SHDR_SYMTAB,
	SHDR_STRTAB,
	SHDR_DYNSYM,
	SHDR_DYNSTR,
	SHDR_NOTE,
	SHDR_COUNT
};

/* A whole ELF file. */
struct image {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[PHDR_COUNT];
	char interp[16];
	struct {
		Elf64_Nhdr header;
		char name[4];
		u8 id[24];
	} note;
	u8 code[256];
	Elf64_Sym dynsym[6];
	char dynstr[48];
	Elf64_Sym symtab[3];
	char strtab[48];
	Elf64_Shdr shdr[SHDR_COUNT];
};

static void set_phdr(struct image *image, int index, u32 type, u32 flags, size_t offset, size_t size)
{
	image->phdr[index] = (Elf64_Phdr){
		.p_type = type,
		.p_flags = flags,
		.p_offset = offset,
		.p_vaddr = index == PHDR_CODE ? CODE_VADDR : 0x400000 + offset,
		.p_filesz = size,
		.p_memsz = size,
		.p_align = 4,
	};
}

static void set_shdr(struct image *image, int index, u32 type, size_t offset, size_t size, u32 link)
{
	image->shdr[index] = (Elf64_Shdr){
		.sh_type = type,
		.sh_offset = offset,
		.sh_size = size,
		.sh_link = link,
		.sh_addralign = type == SHT_NOTE ? 4 : 8,
		.sh_entsize = link ? sizeof(Elf64_Sym) : 0,
	};
}

static Elf64_Sym function(u32 name, u16 section, u64 value, u64 size)
{
	return (Elf64_Sym){
		.st_name = name,
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
		.st_shndx = section,
		.st_value = value,
		.st_size = size,
	};
}

static void image_init(struct image *image)
{
	*image = (struct image){
		.ehdr =
			{
				.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
				.e_type = ET_DYN,
				.e_machine = EM_X86_64,
				.e_version = EV_CURRENT,
				.e_phoff = offsetof(struct image, phdr),
				.e_shoff = offsetof(struct image, shdr),
				.e_ehsize = sizeof(Elf64_Ehdr),
				.e_phentsize = sizeof(Elf64_Phdr),
				.e_phnum = PHDR_COUNT,
				.e_shentsize = sizeof(Elf64_Shdr),
				.e_shnum = SHDR_COUNT,
				.e_shstrndx = SHDR_STRTAB,
			},
		.interp = "/lib/ld.so",
		.note = {.header = {.n_namesz = 4, .n_descsz = 20, .n_type = NT_GNU_BUILD_ID}, .name = "GNU"},
		.dynstr = "\0malloc\0read\0errno\0far\0",
		.strtab = "\0memalign@GLIBC_2.2.5\0last\0",
	};
	for (size_t i = 0; i < sizeof(image->note.id); i++)
		image->note.id[i] = (u8)(i + 1);
	for (size_t i = 0; i < sizeof(image->code); i++)
		image->code[i] = (u8)i;
	set_phdr(image, PHDR_INTERP, PT_INTERP, PF_R, offsetof(struct image, interp), sizeof("/lib/ld.so"));
	set_phdr(image, PHDR_DATA, PT_LOAD, PF_R, 0, sizeof(*image));
	set_phdr(image, PHDR_CODE, PT_LOAD, PF_R | PF_X, offsetof(struct image, code), sizeof(image->code));
	set_phdr(image, PHDR_NOTE, PT_NOTE, PF_R, offsetof(struct image, note), sizeof(image->note) - 4);
	image->dynsym[1] = function(1, 1, CODE_VADDR + 0x10, 0x20);
	/* With a value, as a program has that takes the address of a library function. */
	image->dynsym[2] = function(8, SHN_UNDEF, CODE_VADDR + 0x80, 0);
	image->dynsym[3] = function(13, 1, CODE_VADDR, 8);
	image->dynsym[3].st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT);
	image->dynsym[4] = function(19, 1, CODE_VADDR + sizeof(image->code), 8);
	image->dynsym[5] = function(19, 1, 0x400000, 8);
	image->symtab[1] = function(1, 1, CODE_VADDR + 0x40, 0);
	image->symtab[2] = function(22, 1, CODE_VADDR + 0xf0, 0x1000);
	set_shdr(image, SHDR_SYMTAB, SHT_SYMTAB, offsetof(struct image, symtab), sizeof(image->symtab), SHDR_STRTAB);
	set_shdr(image, SHDR_STRTAB, SHT_STRTAB, offsetof(struct image, strtab), sizeof(image->strtab), 0);
	set_shdr(image, SHDR_DYNSYM, SHT_DYNSYM, offsetof(struct image, dynsym), sizeof(image->dynsym), SHDR_DYNSTR);
	set_shdr(image, SHDR_DYNSTR, SHT_STRTAB, offsetof(struct image, dynstr), sizeof(image->dynstr), 0);
	set_shdr(image, SHDR_NOTE, SHT_NOTE, offsetof(struct image, note), sizeof(image->note) - 4, 0);
}

static int file_with(const void *bytes, size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static int image_open(const struct image *image, struct elf **ret_elf)
{
	return elf_open(file_with(image, sizeof(*image)), "image", ret_elf);
}

static struct elf *image_must_open(const struct image *image)
{
	struct elf *elf = NULL;

	assert_int_equal(image_open(image, &elf), 0);
	return elf;
}

static void assert_open_fails(const struct image *image, int error)
{
	struct elf *elf = NULL;

	assert_int_equal(image_open(image, &elf), error);
	assert_null(elf);
}

static void test_elf_open_valid_file_tells_its_identity(void **state)
{
	struct image image;
	unsigned int size;
	struct stat status;
	struct elf *elf;

	(void)state;
	image_init(&image);
	elf = image_must_open(&image);
	assert_string_equal(elf_path(elf), "image");
	assert_string_equal(elf_interpreter(elf), "/lib/ld.so");
	assert_true(elf_is_64bit_x86(elf));
	assert_memory_equal(elf_build_id(elf, &size), image.note.id, 20);
	assert_int_equal(size, 20);
	assert_int_equal(fstat(elf_fd(elf), &status), 0);
	assert_true(elf_device(elf) == status.st_dev && elf_inode(elf) == status.st_ino);
	elf_free(elf);
	elf_free(NULL);
}

static void test_elf_open_and_free_close_the_descriptor(void **state)
{
	int fd = file_with("text", 4);
	struct image image;
	struct elf *elf;

	(void)state;
	assert_int_equal(elf_open(fd, "text", &elf), -ENOEXEC);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	image_init(&image);
	elf = image_must_open(&image);
	fd = elf_fd(elf);
	elf_free(elf);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_elf_open_what_is_no_elf_file_is_refused(void **state)
{
	struct elf *elf = NULL;
	int ends[2];

	(void)state;
	assert_int_equal(elf_open(file_with("", 0), "empty", &elf), -ENOEXEC);
	assert_int_equal(elf_open(file_with("#!/bin/sh\n", 10), "script", &elf), -ENOEXEC);
	assert_int_equal(elf_open(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "/", &elf), -ENOEXEC);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(elf_open(ends[0], "pipe", &elf), -ENOEXEC);
	close(ends[1]);
	assert_int_equal(elf_open(-1, "nothing", &elf), -EBADF);
	assert_null(elf);
}

static void test_elf_open_other_machine_or_word_size_opens(void **state)
{
	struct image image;
	Elf32_Ehdr narrow = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(Elf32_Ehdr),
	};
	struct elf *elf;

	(void)state;
	image_init(&image);
	image.ehdr.e_machine = EM_AARCH64;
	elf = image_must_open(&image);
	assert_false(elf_is_64bit_x86(elf));
	elf_free(elf);
	assert_int_equal(elf_open(file_with(&narrow, sizeof(narrow)), "narrow", &elf), 0);
	assert_false(elf_is_64bit_x86(elf));
	elf_free(elf);
}

static void test_elf_open_damaged_headers_are_refused(void **state)
{
	struct image image;
	struct elf *elf = NULL;

	(void)state;
	image_init(&image);
	assert_int_equal(elf_open(file_with(&image, 20), "cut", &elf), -EBADMSG);
	image.ehdr.e_ident[EI_CLASS] = 7;
	assert_open_fails(&image, -EBADMSG);
	image_init(&image);
	image.ehdr.e_phoff = UINT64_MAX - 8;
	assert_open_fails(&image, -EBADMSG);
	image_init(&image);
	image.phdr[PHDR_CODE].p_offset = UINT64_MAX - 8;
	assert_open_fails(&image, -EBADMSG);
	image_init(&image);
	image.phdr[PHDR_CODE].p_vaddr = UINT64_MAX - 8;
	assert_open_fails(&image, -EBADMSG);
}

static void test_elf_open_damaged_interpreter_is_refused(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	image.phdr[PHDR_INTERP].p_filesz--;
	assert_open_fails(&image, -EBADMSG);
	image_init(&image);
	image.phdr[PHDR_INTERP].p_offset = sizeof(image);
	assert_open_fails(&image, -EBADMSG);
	image_init(&image);
	image.phdr[PHDR_INTERP].p_filesz = UINT64_MAX;
	assert_open_fails(&image, -EBADMSG);
	image_init(&image);
	image.phdr[PHDR_NOTE] = image.phdr[PHDR_INTERP];
	assert_open_fails(&image, -EBADMSG);
}

static unsigned int build_id_size(const struct image *image)
{
	struct elf *elf = image_must_open(image);
	unsigned int size;
	const u8 *id = elf_build_id(elf, &size);

	assert_true((id != NULL) == (size > 0));
	elf_free(elf);
	return size;
}

static void test_elf_build_id_of_any_length_the_kernel_knows_is_read(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	image.note.header.n_descsz = 8;
	assert_int_equal(build_id_size(&image), 8);
	image.note.header.n_descsz = 0;
	assert_int_equal(build_id_size(&image), 0);
	image.note.header.n_descsz = 21;
	image.phdr[PHDR_NOTE].p_filesz = image.shdr[SHDR_NOTE].sh_size = sizeof(image.note);
	assert_int_equal(build_id_size(&image), 0);
}

static void test_elf_build_id_without_note_segment_comes_from_the_section(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	image.phdr[PHDR_NOTE].p_type = PT_NULL;
	assert_int_equal(build_id_size(&image), 20);
	image.shdr[SHDR_NOTE].sh_type = SHT_PROGBITS;
	assert_int_equal(build_id_size(&image), 0);
}

static void test_elf_build_id_in_a_damaged_note_is_none(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	image.note.header.n_descsz = UINT32_MAX;
	assert_int_equal(build_id_size(&image), 0);
	image_init(&image);
	image.note.name[2] = 'X';
	assert_int_equal(build_id_size(&image), 0);
	image_init(&image);
	image.phdr[PHDR_NOTE].p_filesz = image.shdr[SHDR_NOTE].sh_size = UINT64_MAX;
	assert_int_equal(build_id_size(&image), 0);
}

static void test_elf_offset_and_vaddr_convert_inside_executable_segments_only(void **state)
{
	u64 code = offsetof(struct image, code), value = 7;
	struct image image;
	struct elf *elf;

	(void)state;
	image_init(&image);
	elf = image_must_open(&image);
	assert_int_equal(elf_offset_to_vaddr(elf, code, &value), 0);
	assert_int_equal(value, CODE_VADDR);
	assert_int_equal(elf_vaddr_to_offset(elf, CODE_VADDR + 255, &value), 0);
	assert_int_equal(value, code + 255);
	value = 7;
	assert_int_equal(elf_offset_to_vaddr(elf, code + 256, &value), -ENOENT);
	assert_int_equal(elf_offset_to_vaddr(elf, code - 1, &value), -ENOENT);
	assert_int_equal(elf_vaddr_to_offset(elf, CODE_VADDR + 256, &value), -ENOENT);
	assert_int_equal(elf_vaddr_to_offset(elf, CODE_VADDR - 1, &value), -ENOENT);
	assert_int_equal(elf_vaddr_to_offset(elf, 0x400000, &value), -ENOENT);
	assert_int_equal(value, 7);
	elf_free(elf);
}

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

static void test_elf_read_ends_at_the_end_of_the_file(void **state)
{
	struct image image;
	u8 buffer[64];
	struct elf *elf;

	(void)state;
	image_init(&image);
	elf = image_must_open(&image);
	assert_int_equal(elf_read(elf, offsetof(struct image, code), buffer, sizeof(buffer)), sizeof(buffer));
	assert_memory_equal(buffer, image.code, sizeof(buffer));
	assert_int_equal(elf_read(elf, sizeof(image) - 3, buffer, sizeof(buffer)), 3);
	assert_int_equal(elf_read(elf, sizeof(image) + 3, buffer, sizeof(buffer)), 0);
	assert_int_equal(elf_read(elf, UINT64_MAX - 3, buffer, sizeof(buffer)), -EINVAL);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf_open_valid_file_tells_its_identity),
		cmocka_unit_test(test_elf_open_and_free_close_the_descriptor),
		cmocka_unit_test(test_elf_open_what_is_no_elf_file_is_refused),
		cmocka_unit_test(test_elf_open_other_machine_or_word_size_opens),
		cmocka_unit_test(test_elf_open_damaged_headers_are_refused),
		cmocka_unit_test(test_elf_open_damaged_interpreter_is_refused),
		cmocka_unit_test(test_elf_build_id_of_any_length_the_kernel_knows_is_read),
		cmocka_unit_test(test_elf_build_id_without_note_segment_comes_from_the_section),
		cmocka_unit_test(test_elf_build_id_in_a_damaged_note_is_none),
		cmocka_unit_test(test_elf_offset_and_vaddr_convert_inside_executable_segments_only),
		cmocka_unit_test(test_elf_for_each_function_names_defined_functions_dynsym_first),
		cmocka_unit_test(test_elf_for_each_function_stops_when_told),
		cmocka_unit_test(test_elf_for_each_function_damaged_tables_are_reported),
		cmocka_unit_test(test_elf_for_each_function_without_sections_finds_none),
		cmocka_unit_test(test_elf_for_each_function_huge_sparse_table_is_refused),
		cmocka_unit_test(test_elf_file_truncated_while_open_is_an_error),
		cmocka_unit_test(test_elf_read_ends_at_the_end_of_the_file),
		cmocka_unit_test(test_elf_truncated_anywhere_never_crashes),
		cmocka_unit_test(test_elf_with_random_bytes_never_crashes),
		cmocka_unit_test(test_elf_symbol_offset_in_real_libc_is_where_its_code_stands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
