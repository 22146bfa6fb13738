/* SPDX-License-Identifier: GPL-2.0-or-later */
/* go_image.c where several sections may have the table of lines: what is searched for it has a limit. */
#include "elf_image.h"

#include <string.h>

#include "binary/go_image.h"

#define SEARCHED (64u << 20)
#define NAMES	 "\0.go.buildinfo\0.data.rel.ro"
#define BUILD	 1
#define RELRO	 15

static void add_section(struct image *image, int index, u32 name, u64 offset, u64 size)
{
	image->shdr[index] = (Elf64_Shdr){
		.sh_name = name,
		.sh_type = SHT_PROGBITS,
		.sh_flags = SHF_ALLOC,
		.sh_offset = offset,
		.sh_size = size,
		.sh_addralign = 8,
	};
}

/* A program whose lines are in the second .data.rel.ro, behind one of `before` zeros. */
static struct go_image read_behind(u64 before)
{
	static const u8 build[] = "\xff Go buildinf:\x08\x02................\x08go1.24.1";
	const u64 lines[] = {0x08010000fffffff1, 1, 0, 0, 72, 80, 88, 96, 104};
	struct go_image go;
	struct image image;
	struct elf *elf;
	int fd;

	image_init(&image);
	memcpy(image.strtab, NAMES, sizeof(NAMES));
	memcpy(image.code, build, sizeof(build));
	memcpy(image.dynsym, lines, sizeof(lines));
	add_section(&image, SHDR_NOTE, BUILD, offsetof(struct image, code), sizeof(build));
	add_section(&image, SHDR_SYMTAB, RELRO, sizeof(image), before);
	add_section(&image, SHDR_DYNSYM, RELRO, offsetof(struct image, dynsym), sizeof(image.dynsym));
	add_section(&image, SHDR_DYNSTR, 0, 0, 0);
	fd = file_with(&image, sizeof(image));
	assert_int_equal(ftruncate(fd, (off_t)(sizeof(image) + before)), 0);
	assert_int_equal(elf_open(fd, "image", &elf), 0);
	assert_int_equal(go_image_read(elf, &go), 0);
	elf_free(elf);
	return go;
}

static void test_sections_are_searched_up_to_a_size_together(void **state)
{
	struct go_image go = read_behind(SEARCHED - sizeof(((struct image *)0)->dynsym));

	(void)state;
	assert_string_equal(go.version, "go1.24.1");
	assert_int_equal(go.lines.offset, offsetof(struct image, dynsym));
	assert_int_equal(go.data_count, 2);
	go = read_behind(SEARCHED - sizeof(((struct image *)0)->dynsym) + 8);
	assert_int_equal(go.lines.size, 0);
	assert_int_equal(go.data_count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sections_are_searched_up_to_a_size_together),
	};

	return cmocka_run_group_tests_name("go_image", tests, NULL, NULL);
}
