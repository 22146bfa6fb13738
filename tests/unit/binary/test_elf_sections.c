/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables that are larger than any honest file's: nothing is read of them that libelf would read whole, or keep. */
#include "elf_image.h"

#include <string.h>
#include <zlib.h>

#include "binary/dwarf_copy.h"

#define NAME	    "memalign@GLIBC_2.2.5" /* the first string of image.strtab, at 1 */
#define NAMES_MAX   (1 << 20)
#define NOTE_BYTES  (64 << 10)
#define NOTE_COUNT  16 /* of that size, all that are looked at */
#define FILE_BYTES  ((1 << 20) + 65536)
#define MANY	    (UINT16_MAX + 1)
#define PACKED_SIZE 64

/* The image, and zeros up to `size`. */
static struct elf *open_grown(const struct image *image, u64 size)
{
	int fd = file_with(image, sizeof(*image));
	struct elf *elf = NULL;

	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	assert_int_equal(elf_open(fd, "image", &elf), 0);
	return elf;
}

static int read_named(struct elf *elf, u64 size_max)
{
	u8 *bytes = NULL;
	u64 size = 0;
	int err = elf_read_section(elf, NAME, size_max, &bytes, &size, NULL);

	free(bytes);
	elf_free(elf);
	return err;
}

static void test_table_of_names_is_read_up_to_a_size(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	image.shdr[SHDR_NOTE].sh_name = 1;
	assert_int_equal(read_named(open_grown(&image, FILE_BYTES), 4096), 0);
	image.shdr[SHDR_STRTAB].sh_size = NAMES_MAX;
	assert_int_equal(read_named(open_grown(&image, FILE_BYTES), 4096), 0);
	image.shdr[SHDR_STRTAB].sh_size++;
	assert_int_equal(read_named(open_grown(&image, FILE_BYTES), 4096), -ENOENT);
	image.shdr[SHDR_STRTAB].sh_size = UINT64_MAX;
	assert_int_equal(read_named(open_grown(&image, FILE_BYTES), 4096), -ENOENT);
}

/* The table may end with a name that has no NUL. */
static void test_last_name_ends_with_its_table(void **state)
{
	struct image image;

	(void)state;
	image_init(&image);
	image.shdr[SHDR_NOTE].sh_name = 1;
	image.shdr[SHDR_STRTAB].sh_size = sizeof(NAME);
	assert_int_equal(read_named(open_grown(&image, FILE_BYTES), 4096), 0);
	image.shdr[SHDR_STRTAB].sh_size--;
	assert_int_equal(read_named(open_grown(&image, FILE_BYTES), 4096), -ENOENT);
}

/* The note's section becomes a packed one, of zeros. */
static void pack(struct image *image)
{
	u8 zeros[PACKED_SIZE] = {0}, *to = image->code + sizeof(Elf64_Chdr);
	Elf64_Chdr header = {.ch_type = ELFCOMPRESS_ZLIB, .ch_size = sizeof(zeros), .ch_addralign = 1};
	uLongf size = sizeof(image->code) - sizeof(header);

	image_init(image);
	memcpy(image->code, &header, sizeof(header));
	assert_int_equal(compress(to, &size, zeros, sizeof(zeros)), Z_OK);
	image->shdr[SHDR_NOTE] = (Elf64_Shdr){
		.sh_name = 1,
		.sh_type = SHT_PROGBITS,
		.sh_flags = SHF_COMPRESSED,
		.sh_offset = offsetof(struct image, code),
		.sh_size = sizeof(header) + size,
		.sh_addralign = 1,
	};
}

static void test_packed_section_is_read_up_to_a_size(void **state)
{
	struct image image;

	(void)state;
	pack(&image);
	assert_int_equal(read_named(open_grown(&image, FILE_BYTES), PACKED_SIZE), 0);
	assert_int_equal(read_named(open_grown(&image, FILE_BYTES), PACKED_SIZE - 1), -EFBIG);
	/* What it says of itself is not looked at. */
	image.code[0] = 0xff;
	image.shdr[SHDR_NOTE].sh_size = PACKED_SIZE + 1;
	assert_int_equal(read_named(open_grown(&image, FILE_BYTES), PACKED_SIZE), -EFBIG);
	image.shdr[SHDR_NOTE].sh_size = PACKED_SIZE;
	assert_int_equal(read_named(open_grown(&image, FILE_BYTES), PACKED_SIZE), -EBADMSG);
}

static int copy_dwarf(u64 packed_bytes)
{
	struct image image;
	u8 *copy = NULL;
	struct elf *elf;
	size_t size;
	int err;

	image_init(&image);
	memcpy(image.strtab + 1, ".debug_info", sizeof(".debug_info"));
	image.shdr[SHDR_NOTE] = (Elf64_Shdr){
		.sh_name = 1,
		.sh_type = SHT_PROGBITS,
		.sh_flags = SHF_COMPRESSED,
		.sh_offset = sizeof(image),
		.sh_size = packed_bytes,
		.sh_addralign = 1,
	};
	elf = open_grown(&image, sizeof(image) + packed_bytes);
	err = dwarf_copy_read(elf, DWARF_OWN, NULL, &copy, &size);
	elf_free(elf);
	free(copy);
	return err;
}

static void test_packed_dwarf_is_read_up_to_a_size(void **state)
{
	(void)state;
	assert_int_equal(copy_dwarf(4096), -ENODATA);
	assert_int_equal(copy_dwarf((1ULL << 30) + 1), -EFBIG);
}

/* So many notes of nothing, and behind them the one with the build id. */
static unsigned int build_id_behind(u16 count)
{
	Elf64_Phdr headers[NOTE_COUNT + 2] = {0};
	struct image image;
	unsigned int size;
	struct elf *elf;
	int fd;

	image_init(&image);
	for (u16 i = 0; i < count; i++)
		headers[i] =
			(Elf64_Phdr){.p_type = PT_NOTE, .p_offset = 8192 + 4 * i, .p_filesz = NOTE_BYTES, .p_align = 4};
	headers[count] = image.phdr[PHDR_NOTE];
	image.shdr[SHDR_NOTE].sh_type = SHT_PROGBITS;
	image.ehdr.e_phoff = sizeof(image);
	image.ehdr.e_phnum = (u16)(count + 1);
	fd = file_with(&image, sizeof(image));
	assert_int_equal(write(fd, headers, sizeof(headers)), sizeof(headers));
	assert_int_equal(ftruncate(fd, FILE_BYTES), 0);
	assert_int_equal(elf_open(fd, "image", &elf), 0);
	elf_build_id(elf, &size);
	elf_free(elf);
	return size;
}

static void test_notes_are_read_up_to_a_size(void **state)
{
	(void)state;
	assert_int_equal(build_id_behind(NOTE_COUNT - 1), 20);
	assert_int_equal(build_id_behind(NOTE_COUNT), 0);
}

/* More of them than the header can number, of which the first section tells. */
static void test_headers_without_number_are_refused(void **state)
{
	struct elf *elf = NULL;
	struct image image;
	int fd;

	(void)state;
	image_init(&image);
	image.ehdr.e_shnum = 0;
	image.shdr[0].sh_size = SHDR_COUNT;
	elf_free(open_grown(&image, sizeof(image) + MANY * sizeof(Elf64_Shdr)));
	image.shdr[0].sh_size = MANY;
	fd = file_with(&image, sizeof(image));
	assert_int_equal(ftruncate(fd, (off_t)(sizeof(image) + MANY * sizeof(Elf64_Shdr))), 0);
	assert_int_equal(elf_open(fd, "image", &elf), -EBADMSG);
	image_init(&image);
	image.ehdr.e_phnum = PN_XNUM;
	image.shdr[0].sh_info = PHDR_COUNT;
	assert_int_equal(image_open(&image, &elf), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_of_names_is_read_up_to_a_size),
		cmocka_unit_test(test_last_name_ends_with_its_table),
		cmocka_unit_test(test_packed_section_is_read_up_to_a_size),
		cmocka_unit_test(test_packed_dwarf_is_read_up_to_a_size),
		cmocka_unit_test(test_notes_are_read_up_to_a_size),
		cmocka_unit_test(test_headers_without_number_are_refused),
	};

	return cmocka_run_group_tests_name("elf_sections", tests, NULL, NULL);
}
