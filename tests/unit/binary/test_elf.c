/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf.c on a small file built field by field: what it reads, and damaged headers and notes. */
#include <fcntl.h>
#include <sys/stat.h>

#include "elf_image.h"

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
		cmocka_unit_test(test_elf_read_ends_at_the_end_of_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
