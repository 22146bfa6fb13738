/* SPDX-License-Identifier: GPL-2.0-or-later */
/* elf_data.c on files whose writable segments are too large together, or too many. */
#include "elf_image.h"

#include "binary/elf_data.h"

#define DATA_VADDR 0x10000000
#define BYTES_MAX  (64ULL << 20)
#define COUNT_MAX  16

struct seen {
	u64 words;
	unsigned int pieces;
};

static int see(u64 vaddr, const u64 *words, u64 count, void *arg)
{
	struct seen *seen = arg;

	(void)vaddr;
	(void)words;
	seen->words += count;
	seen->pieces++;
	return 0;
}

/* So many writable segments, all of them the same bytes of a hole. */
static int walk(u16 count, u64 bytes, struct seen *seen)
{
	Elf64_Phdr headers[COUNT_MAX + 1] = {0};
	struct image image;
	struct elf *elf;
	int fd, err;

	*seen = (struct seen){0};
	image_init(&image);
	for (u16 i = 0; i < count; i++)
		headers[i] = (Elf64_Phdr){
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W,
			.p_offset = 8192,
			.p_vaddr = DATA_VADDR,
			.p_filesz = bytes,
			.p_memsz = bytes,
			.p_align = 8,
		};
	image.ehdr.e_phoff = sizeof(image);
	image.ehdr.e_phnum = count;
	fd = file_with(&image, sizeof(image));
	assert_int_equal(write(fd, headers, sizeof(headers)), sizeof(headers));
	assert_int_equal(ftruncate(fd, (off_t)(8192 + bytes)), 0);
	assert_int_equal(elf_open(fd, "image", &elf), 0);
	err = elf_data_for_each(elf, NULL, see, seen);
	elf_free(elf);
	return err;
}

static void test_data_is_read_up_to_a_size_together(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(walk(2, BYTES_MAX / 2, &seen), 0);
	assert_int_equal(seen.words, BYTES_MAX / 8);
	assert_int_equal(walk(2, BYTES_MAX / 2 + 8, &seen), -EFBIG);
	assert_int_equal(seen.pieces, 0);
}

static void test_data_of_many_segments_is_refused(void **state)
{
	struct seen seen;

	(void)state;
	assert_int_equal(walk(COUNT_MAX, 8, &seen), 0);
	assert_int_equal(seen.pieces, COUNT_MAX);
	assert_int_equal(walk(COUNT_MAX + 1, 8, &seen), -EFBIG);
	assert_int_equal(seen.pieces, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_is_read_up_to_a_size_together),
		cmocka_unit_test(test_data_of_many_segments_is_refused),
	};

	return cmocka_run_group_tests_name("elf_data", tests, NULL, NULL);
}
