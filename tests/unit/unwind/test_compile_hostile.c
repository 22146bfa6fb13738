/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compile.c and the cfi_* files: functions in odd places, impossible files, and damaged ones. */
#include <stdio.h>
#include <sys/stat.h>

#include "cfi_image.h"
#include "file_bytes.h"
#include "random.h"

#define LINKER "/lib64/ld-linux-x86-64.so.2"

/* --- places --- */

static void test_cfi_compile_code_between_functions_has_no_rule(void **state)
{
	static const u8 push[] = {DW_CFA_advance_loc | 1, DW_CFA_def_cfa_offset, 16};
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table table;
	struct image image;
	u32 rule;

	(void)state;
	image_init(&image);
	section_begin(&image, true);
	put_common(&image, "zR");
	put_function(&image, 0x30100, 0xff00, push, sizeof(push)); /* to the end of its page */
	put_number(&image, 0, 4);				   /* as linkers leave them in the middle */
	put_function(&image, 0x200, 0x10, push, sizeof(push));
	put_function(&image, 0x210, 0x30, push, 0);
	put_function(&image, 0x1fff0, 0x10008, push, sizeof(push)); /* over two borders */
	section_end(&image);
	assert_int_equal(image_compile(&image, rules, &table), 0);

	assert_int_equal(table.words[0], 4);
	assert_int_equal(kind_at(rules, &table, 0), CFA_UNKNOWN);
	assert_int_equal(kind_at(rules, &table, 0x1ff), CFA_UNKNOWN);
	assert_int_equal(rule_at(rules, &table, 0x200).offset, 8);
	assert_int_equal(rule_at(rules, &table, 0x201).offset, 16);
	assert_int_equal(rule_at(rules, &table, 0x20f).offset, 16);
	assert_int_equal(rule_at(rules, &table, 0x210).offset, 8);
	assert_int_equal(rule_at(rules, &table, 0x23f).offset, 8);
	assert_int_equal(kind_at(rules, &table, 0x240), CFA_UNKNOWN);
	assert_int_equal(kind_at(rules, &table, 0x10000), CFA_UNKNOWN);
	assert_int_equal(rule_at(rules, &table, 0x1ffff).offset, 16);
	assert_int_equal(rule_at(rules, &table, 0x20000).offset, 16);
	assert_int_equal(rule_at(rules, &table, 0x2fff7).offset, 16);
	assert_int_equal(kind_at(rules, &table, 0x2fff8), CFA_UNKNOWN);
	assert_int_equal(rule_at(rules, &table, 0x3ffff).offset, 16);
	assert_int_equal(cfi_lookup(&table, 0x40000, &rule), -ENOENT);
	assert_int_equal(cfi_lookup(&table, UINT64_MAX, &rule), -ENOENT);
	cfi_table_release(&table);
	cfi_rules_free(rules);
}

static void test_cfi_compile_functions_that_overlap_are_cut(void **state)
{
	static const u8 second[] = {DW_CFA_def_cfa_offset, 16}, third[] = {DW_CFA_def_cfa_offset, 24};
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table table;
	struct image image;

	(void)state;
	image_init(&image);
	section_begin(&image, true);
	put_common(&image, "zR");
	put_function(&image, 0x100, 0x100, second, 0);
	put_function(&image, 0x180, 0x20, second, sizeof(second));
	put_function(&image, 0x180, 0x100, third, sizeof(third));
	section_end(&image);
	assert_int_equal(image_compile(&image, rules, &table), 0);
	assert_int_equal(rule_at(rules, &table, 0x17f).offset, 8);
	assert_int_equal(rule_at(rules, &table, 0x180).offset, 16);
	assert_int_equal(kind_at(rules, &table, 0x1a0), CFA_UNKNOWN);
	cfi_table_release(&table);
	cfi_rules_free(rules);
}

static void test_cfi_compile_debug_frame_is_heard_where_eh_frame_is_silent(void **state)
{
	static const u8 other[] = {DW_CFA_def_cfa_offset, 16};
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table table;
	struct image image;

	(void)state;
	image_init(&image);
	section_begin(&image, true);
	put_common(&image, "zR");
	put_function(&image, 0x200, 0x100, NULL, 0);
	section_end(&image);
	section_begin(&image, false);
	put_common(&image, "");
	put_function(&image, 0x100, 0x180, other, sizeof(other)); /* reaches into the other section's */
	put_function(&image, 0x200, 0x100, other, sizeof(other));
	put_function(&image, 0x280, 0x100, other, sizeof(other)); /* begins in it */
	put_common(&image, "S");
	put_function(&image, 0x400, 0x10, other, sizeof(other));
	put_common(&image, "zR"); /* which only .eh_frame has */
	put_function(&image, 0x500, 0x10, other, sizeof(other));
	section_end(&image);
	assert_int_equal(image_compile(&image, rules, &table), 0);
	assert_int_equal(rule_at(rules, &table, 0x100).offset, 16);
	assert_int_equal(rule_at(rules, &table, 0x1ff).offset, 16);
	assert_int_equal(rule_at(rules, &table, 0x200).offset, 8);
	assert_int_equal(rule_at(rules, &table, 0x2ff).offset, 8);
	assert_int_equal(kind_at(rules, &table, 0x300), CFA_UNKNOWN);
	assert_int_equal(rule_at(rules, &table, 0x40f).offset, 16);
	assert_int_equal(kind_at(rules, &table, 0x500), CFA_UNKNOWN);
	cfi_table_release(&table);
	cfi_rules_free(rules);
}

/* --- what is refused --- */

static int compile_one(u64 distance, u64 size, void (*change)(struct headers *headers))
{
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table table = {0};
	struct image image;
	int err;

	image_init(&image);
	section_begin(&image, true);
	put_common(&image, "zR");
	put_function(&image, distance, size, NULL, 0);
	section_end(&image);
	if (change)
		change(headers_of(&image));
	err = image_compile(&image, rules, &table);
	cfi_table_release(&table);
	cfi_rules_free(rules);
	return err;
}

static void of_another_machine(struct headers *headers)
{
	headers->ehdr.e_machine = EM_AARCH64;
}

static void without_sections(struct headers *headers)
{
	headers->ehdr.e_shoff = headers->ehdr.e_shnum = headers->ehdr.e_shstrndx = 0;
}

static void with_section_beyond_the_end(struct headers *headers)
{
	headers->shdr[SHDR_EH_FRAME].sh_offset = UINT64_MAX - 8;
}

static void with_huge_section(struct headers *headers)
{
	headers->shdr[SHDR_EH_FRAME].sh_size = 1ull << 40;
}

static void with_huge_segment(struct headers *headers)
{
	headers->phdr.p_filesz = headers->phdr.p_memsz = 1ull << 50;
}

static void with_section_that_is_not_packed(struct headers *headers)
{
	headers->shdr[SHDR_EH_FRAME].sh_flags = SHF_COMPRESSED;
}

static void test_cfi_compile_what_cannot_be_is_refused(void **state)
{
	(void)state;
	assert_int_equal(compile_one(0x100, 0x100, NULL), 0);
	assert_int_equal(compile_one(0x100, 0x100, of_another_machine), -ENODATA);
	assert_int_equal(compile_one(0x100, 0x100, without_sections), -ENODATA);
	assert_int_equal(compile_one(0x100, 0x100, with_section_beyond_the_end), -EBADMSG);
	assert_int_equal(compile_one(0x100, 0x100, with_huge_section), -EFBIG);
	assert_int_equal(compile_one(0x100, 0x100, with_section_that_is_not_packed), -EFBIG);
	assert_int_equal(compile_one(0x100, 1ull << 45, with_huge_segment), -EFBIG);
	/* No code of the file. */
	assert_int_equal(compile_one(CODE_SIZE, 1, NULL), -ENODATA);
	assert_int_equal(compile_one(CODE_SIZE - 1, 2, NULL), -ENODATA);
	assert_int_equal(compile_one(0x100, 0, NULL), -ENODATA);
	assert_int_equal(compile_one(0x100, UINT64_MAX, NULL), -ENODATA);
	assert_int_equal(compile_one((u64)-CODE_VADDR, 0x100, NULL), -ENODATA);
}

/* --- damage --- */

/* The section by name, which the file has. */
static const Elf64_Shdr *find_section(const u8 *bytes, const char *name)
{
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
	const Elf64_Shdr *sections = (const Elf64_Shdr *)(bytes + header->e_shoff);
	const char *strings = (const char *)bytes + sections[header->e_shstrndx].sh_offset;

	for (u32 i = 0; i < header->e_shnum; i++)
		if (strcmp(strings + sections[i].sh_name, name) == 0)
			return &sections[i];
	fail_msg("no section %s", name);
	return NULL;
}

static void damage(u8 *bytes, size_t size)
{
	u64 count = 1 + random_number() % 32;

	for (u64 i = 0; i < count; i++)
		bytes[random_number() % size] = (u8)random_number();
}

static void test_cfi_compile_damaged_entries_never_crash(void **state)
{
	struct cfi_rules *rules = cfi_rules_new();
	const Elf64_Shdr *section;
	u8 *bytes, *kept;
	size_t size;

	(void)state;
	bytes = read_all(LINKER, &size);
	section = find_section(bytes, ".eh_frame");
	kept = malloc(section->sh_size);
	memcpy(kept, bytes + section->sh_offset, section->sh_size);
	random_state = 1;
	for (int i = 0; i < 1000; i++) {
		damage(bytes + section->sh_offset, section->sh_size);
		compile_damaged(bytes, size, rules);
		/* Now and then on top of the damage before. */
		if (i % 8)
			memcpy(bytes + section->sh_offset, kept, section->sh_size);
	}
	free(kept);
	free(bytes);
	cfi_rules_free(rules);
}

static void test_cfi_compile_truncated_or_damaged_headers_never_crash(void **state)
{
	struct cfi_rules *rules = cfi_rules_new();
	u8 *bytes, *kept;
	size_t size;

	(void)state;
	bytes = read_all(LINKER, &size);
	kept = malloc(size);
	memcpy(kept, bytes, size);
	random_state = 2;
	for (int i = 0; i < 500; i++) {
		const Elf64_Ehdr *header = (const Elf64_Ehdr *)kept;

		damage(bytes, sizeof(*header) + (u64)header->e_phnum * header->e_phentsize);
		damage(bytes + header->e_shoff, (u64)header->e_shnum * header->e_shentsize);
		compile_damaged(bytes, size, rules);
		memcpy(bytes, kept, size);
		compile_damaged(bytes, random_number() % size, rules);
	}
	free(kept);
	free(bytes);
	cfi_rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cfi_compile_code_between_functions_has_no_rule),
		cmocka_unit_test(test_cfi_compile_functions_that_overlap_are_cut),
		cmocka_unit_test(test_cfi_compile_debug_frame_is_heard_where_eh_frame_is_silent),
		cmocka_unit_test(test_cfi_compile_what_cannot_be_is_refused),
		cmocka_unit_test(test_cfi_compile_damaged_entries_never_crash),
		cmocka_unit_test(test_cfi_compile_truncated_or_damaged_headers_never_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
