/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cfi.c and the files behind it, on small files built here entry by entry: every instruction, every rule, every limit;
 * and on damaged copies of them and of the dynamic linker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dwarf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../user/cfi.h"

#define CODE_VADDR	    0x400000
#define CODE_SIZE	    0x100000
#define IMAGE_SIZE	    (1u << 20)
#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static u64 random_state;

static u64 random_number(void)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return random_state >> 33;
}

/* --- building --- */

/* A file with code of CODE_SIZE from offset 0 on, of which only the headers and the sections are there. */
struct image {
	u8 *bytes;
	size_t size;
	size_t section, entry, common; /* offsets of what is being written */
	bool is_eh_frame;
};

static void put(struct image *image, const void *bytes, size_t size)
{
	assert_true(image->size + size <= IMAGE_SIZE);
	if (size > 0)
		memcpy(image->bytes + image->size, bytes, size);
	image->size += size;
}

static void put_number(struct image *image, u64 value, size_t size)
{
	put(image, &value, size);
}

static void put_string(struct image *image, const char *string)
{
	put(image, string, strlen(string) + 1);
}

static void entry_begin(struct image *image, u32 pointer)
{
	image->entry = image->size;
	put_number(image, 0, 4);
	put_number(image, pointer, 4);
}

static void entry_end(struct image *image)
{
	u32 size = (u32)(image->size - image->entry - 4);

	memcpy(image->bytes + image->entry, &size, sizeof(size));
}

/* An entry whose functions begin with cfa = sp + 8, the return address at cfa - 8. */
static void put_common(struct image *image, const char *augmentation)
{
	static const u8 factors_and_register[] = {1, 0x78, 16};
	static const u8 program[] = {DW_CFA_def_cfa, 7, 8, DW_CFA_offset | 16, 1};

	entry_begin(image, image->is_eh_frame ? 0 : UINT32_MAX);
	image->common = image->entry;
	put_number(image, 1, 1);
	put_string(image, augmentation);
	put(image, factors_and_register, sizeof(factors_and_register));
	if (*augmentation == 'z')
		put_number(image, !!strchr(augmentation, 'R') + !!strchr(augmentation, 'L'), 1);
	for (const char *letter = augmentation; *letter; letter++)
		if (*letter == 'R' || *letter == 'L')
			put_number(image, DW_EH_PE_absptr, 1);
	put(image, program, sizeof(program));
	entry_end(image);
}

/* Of the last common entry. */
static void put_function(struct image *image, u64 distance, u64 size, const void *program, size_t program_size)
{
	bool has_sizes = image->bytes[image->common + 9] == 'z';
	u32 pointer;

	entry_begin(image, 0);
	put_number(image, CODE_VADDR + distance, 8);
	put_number(image, size, 8);
	if (has_sizes)
		put_number(image, 0, 1);
	put(image, program, program_size);
	entry_end(image);
	pointer = (u32)(image->is_eh_frame ? image->entry + 4 - image->common : image->common - image->section);
	memcpy(image->bytes + image->entry + 4, &pointer, sizeof(pointer));
}

enum {
	SHDR_NULL,
	SHDR_EH_FRAME,
	SHDR_DEBUG_FRAME,
	SHDR_NAMES,
	SHDR_COUNT
};

static const char names[] = "\0.eh_frame\0.debug_frame";

struct headers {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	Elf64_Shdr shdr[SHDR_COUNT];
	char names[sizeof(names)];
};

static struct headers *headers_of(struct image *image)
{
	return (struct headers *)image->bytes;
}

static void image_init(struct image *image)
{
	struct headers *headers;

	*image = (struct image){.bytes = calloc(1, IMAGE_SIZE), .size = (sizeof(*headers) + 7) & ~7ull};
	assert_non_null(image->bytes);
	headers = headers_of(image);
	memcpy(headers->ehdr.e_ident, ELFMAG, SELFMAG);
	headers->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	headers->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	headers->ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	headers->ehdr.e_type = ET_EXEC;
	headers->ehdr.e_machine = EM_X86_64;
	headers->ehdr.e_version = EV_CURRENT;
	headers->ehdr.e_ehsize = sizeof(headers->ehdr);
	headers->ehdr.e_phoff = offsetof(struct headers, phdr);
	headers->ehdr.e_phentsize = sizeof(headers->phdr);
	headers->ehdr.e_phnum = 1;
	headers->ehdr.e_shoff = offsetof(struct headers, shdr);
	headers->ehdr.e_shentsize = sizeof(headers->shdr[0]);
	headers->ehdr.e_shnum = SHDR_COUNT;
	headers->ehdr.e_shstrndx = SHDR_NAMES;
	headers->phdr = (Elf64_Phdr){
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = CODE_VADDR,
		.p_filesz = CODE_SIZE,
		.p_memsz = CODE_SIZE,
	};
	headers->shdr[SHDR_NAMES] = (Elf64_Shdr){
		.sh_type = SHT_STRTAB,
		.sh_offset = offsetof(struct headers, names),
		.sh_size = sizeof(names),
	};
	memcpy(headers->names, names, sizeof(names));
}

static void section_begin(struct image *image, bool is_eh_frame)
{
	image->section = image->size;
	image->is_eh_frame = is_eh_frame;
}

static void section_end(struct image *image)
{
	headers_of(image)->shdr[image->is_eh_frame ? SHDR_EH_FRAME : SHDR_DEBUG_FRAME] = (Elf64_Shdr){
		.sh_name = image->is_eh_frame ? 1 : sizeof(".eh_frame") + 1,
		.sh_type = SHT_PROGBITS,
		.sh_offset = image->section,
		.sh_size = image->size - image->section,
		.sh_addr = CODE_VADDR + image->section,
	};
}

static int compile_bytes(const u8 *bytes, size_t size, struct cfi_rules *rules, struct cfi_table *ret_table)
{
	int fd = memfd_create("image", MFD_CLOEXEC), err;
	struct elf *elf;

	assert_int_equal(write(fd, bytes, size), size);
	err = elf_open(fd, "image", &elf);
	if (err)
		return err;
	err = cfi_compile(elf, rules, ret_table);
	elf_free(elf);
	return err;
}

static int image_compile(struct image *image, struct cfi_rules *rules, struct cfi_table *ret_table)
{
	int err = compile_bytes(image->bytes, image->size, rules, ret_table);

	free(image->bytes);
	return err;
}

static struct unwind_rule rule_at(const struct cfi_rules *rules, const struct cfi_table *table, u64 offset)
{
	u32 count, index;
	const struct unwind_rule *all = cfi_rules_get(rules, &count);

	assert_int_equal(cfi_lookup(table, offset, &index), 0);
	assert_true(index < count);
	return all[index];
}

static u8 kind_at(const struct cfi_rules *rules, const struct cfi_table *table, u64 offset)
{
	return rule_at(rules, table, offset).cfa;
}

/* --- rules --- */

struct sample {
	const char *augmentation;
	u8 program[80];
	size_t size;
	struct unwind_rule rule;
	bool is_lost;
};

#define PROGRAM(...)	       .program = {__VA_ARGS__}, .size = sizeof((u8[]){__VA_ARGS__})
#define SP(distance)	       .rule = {.cfa = CFA_SP, .offset = (distance)}
#define SP_BP(distance, saved) .rule = {.cfa = CFA_SP, .offset = (distance), .bp = BP_SAVED, .bp_offset = (saved)}
#define LOST		       .is_lost = true

#define PLT(number)                                                                                                    \
	DW_CFA_def_cfa_expression, 11, DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and, DW_OP_lit0 + (number), \
		DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus
#define REALIGNED  DW_CFA_expression, 6, 2, DW_OP_breg6, 0
#define SIGNAL_CFA DW_CFA_def_cfa_expression, 4, DW_OP_breg7, 0xa0, 1, DW_OP_deref
#define SIGNAL_IP  DW_CFA_expression, 16, 3, DW_OP_breg7, 0xa8, 1
#define SIGNAL_BP  DW_CFA_expression, 6, 3, DW_OP_breg7, 0xf8, 0

static const struct sample samples[] = {
	{SP(8), PROGRAM(DW_CFA_nop)},
	{SP(300), PROGRAM(DW_CFA_def_cfa_offset, 0xac, 2)},
	{SP(16), PROGRAM(DW_CFA_def_cfa_offset_sf, 0x7e)},
	{SP(24), PROGRAM(DW_CFA_def_cfa_sf, 7, 0x7d)},
	{.rule = {.cfa = CFA_BP, .offset = 16}, PROGRAM(DW_CFA_def_cfa, 6, 16)},
	{.rule = {.cfa = CFA_BP, .offset = 8}, PROGRAM(DW_CFA_def_cfa_register, 6)},
	{SP_BP(8, -16), PROGRAM(DW_CFA_offset | 6, 2)},
	{SP_BP(8, -16), PROGRAM(DW_CFA_offset_extended, 6, 2)},
	{SP_BP(8, 8), PROGRAM(DW_CFA_offset_extended_sf, 6, 0x7f)},
	{SP_BP(8, 16), PROGRAM(DW_CFA_GNU_negative_offset_extended, 6, 2)},
	{SP(8), PROGRAM(DW_CFA_offset | 6, 2, DW_CFA_restore | 6)},
	{SP(8), PROGRAM(DW_CFA_offset | 6, 2, DW_CFA_restore_extended, 6)},
	{SP(8), PROGRAM(DW_CFA_offset | 6, 2, DW_CFA_same_value, 6)},
	{SP(8), PROGRAM(DW_CFA_offset | 6, 2, DW_CFA_undefined, 6)},
	{SP(8), PROGRAM(DW_CFA_offset | 3, 2, DW_CFA_register, 12, 13, DW_CFA_val_offset, 12, 1)},
	{SP(8), PROGRAM(DW_CFA_val_expression, 12, 1, DW_OP_lit0, DW_CFA_val_offset_sf, 12, 1)},
	{SP(8), PROGRAM(DW_CFA_GNU_args_size, 16)},
	{SP(8), PROGRAM(DW_CFA_remember_state, DW_CFA_def_cfa_offset, 99, DW_CFA_restore_state)},
	{SP(32), PROGRAM(DW_CFA_advance_loc1, 1, DW_CFA_def_cfa_offset, 32)},
	{SP(32), PROGRAM(DW_CFA_advance_loc2, 1, 0, DW_CFA_def_cfa_offset, 32)},
	{SP(32), PROGRAM(DW_CFA_advance_loc4, 1, 0, 0, 0, DW_CFA_def_cfa_offset, 32)},
	{SP(8), PROGRAM(DW_CFA_advance_loc4, 0, 0, 0, 1, DW_CFA_def_cfa_offset, 32)},
	{SP(32), PROGRAM(DW_CFA_MIPS_advance_loc8, 1, 0, 0, 0, 0, 0, 0, 0, DW_CFA_def_cfa_offset, 32)},
	{SP(32), PROGRAM(DW_CFA_set_loc, 2, 0, 0x41, 0, 0, 0, 0, 0, DW_CFA_def_cfa_offset, 32)},
	{.rule = {.cfa = CFA_END}, PROGRAM(DW_CFA_undefined, 16)},
	{.rule = {.cfa = CFA_PLT, .offset = 11}, PROGRAM(PLT(11))},
	{.rule = {.cfa = CFA_PLT, .offset = 10}, PROGRAM(PLT(10))},
	{.rule = {.cfa = CFA_BP_DEREF, .bp_offset = -8},
	 PROGRAM(REALIGNED, DW_CFA_def_cfa_expression, 3, DW_OP_breg6, 0x78, DW_OP_deref)},
	{.rule = {.cfa = CFA_BP_DEREF, .bp_offset = -8, .offset = 8},
	 PROGRAM(REALIGNED, DW_CFA_def_cfa_expression, 5, DW_OP_breg6, 0x78, DW_OP_deref, DW_OP_plus_uconst, 8)},
	{.augmentation = "zRS", .rule = {.cfa = CFA_SIGNAL}, PROGRAM(SIGNAL_CFA, SIGNAL_IP, SIGNAL_BP)},
	{.augmentation = "zRS", SP(8), PROGRAM(DW_CFA_nop)},
	/* What a rule cannot say. */
	{LOST, PROGRAM(SIGNAL_CFA, SIGNAL_IP, SIGNAL_BP)},
	{.augmentation = "zRS", LOST, PROGRAM(SIGNAL_CFA, SIGNAL_IP)},
	{LOST, PROGRAM(DW_CFA_def_cfa, 10, 0)},
	{LOST, PROGRAM(DW_CFA_def_cfa_offset, 0x80, 0x80, 0x80, 0x80, 0x10)},
	{LOST, PROGRAM(DW_CFA_def_cfa_expression, 2, DW_OP_breg7, 8)},
	{LOST, PROGRAM(DW_CFA_def_cfa_expression, 0)},
	{LOST, PROGRAM(DW_CFA_def_cfa_expression, 3, DW_OP_breg6, 0x78, DW_OP_deref)},
	{LOST, PROGRAM(REALIGNED)},
	{LOST, PROGRAM(REALIGNED, DW_CFA_def_cfa_expression, 5, DW_OP_breg6, 0x80, 0x80, 4, DW_OP_deref)},
	{LOST, PROGRAM(DW_CFA_register, 16, 5)},
	{LOST, PROGRAM(DW_CFA_register, 6, 5)},
	{LOST, PROGRAM(DW_CFA_same_value, 16)},
	{LOST, PROGRAM(DW_CFA_offset | 16, 2)},
	{LOST, PROGRAM(DW_CFA_offset | 6, 0x81, 0x20)},
	/* What is no program. */
	{LOST, PROGRAM(0x3f)},
	{LOST, PROGRAM(DW_CFA_restore_state)},
	{LOST, PROGRAM(DW_CFA_def_cfa, 7)},
	{LOST, PROGRAM(DW_CFA_def_cfa_expression, 100, DW_OP_breg7)},
	{LOST, PROGRAM(DW_CFA_advance_loc4, 0)},
	{LOST, PROGRAM(PLT(11), DW_CFA_def_cfa_register, 7)},
	{LOST, PROGRAM(DW_CFA_set_loc, 0, 0, 0x3f, 0, 0, 0, 0, 0)},
	{LOST, PROGRAM(DW_CFA_remember_state, DW_CFA_remember_state, DW_CFA_remember_state, DW_CFA_remember_state,
		       DW_CFA_restore_state, DW_CFA_restore_state, DW_CFA_restore_state, DW_CFA_restore_state,
		       DW_CFA_restore_state)},
};

static void test_cfi_compile_every_instruction_makes_its_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
		const struct sample *sample = &samples[i];
		struct cfi_rules *rules = cfi_rules_new();
		struct unwind_rule rule;
		struct cfi_table table;
		struct image image;

		image_init(&image);
		section_begin(&image, true);
		put_common(&image, sample->augmentation ? sample->augmentation : "zR");
		put_function(&image, 0x10000, 0x100, sample->program, sample->size);
		section_end(&image);
		assert_int_equal(image_compile(&image, rules, &table), 0);
		rule = rule_at(rules, &table, 0x100ff);
		if (memcmp(&rule, &sample->rule, sizeof(rule)) != 0 || table.lost_count != sample->is_lost)
			fail_msg("sample %zu: cfa %u %+d bp %u %+d, %u lost", i, rule.cfa, rule.offset, rule.bp,
				 rule.bp_offset, (unsigned int)table.lost_count);
		cfi_table_release(&table);
		cfi_rules_free(rules);
	}
}

static void test_cfi_compile_too_much_remembered_is_lost(void **state)
{
	struct cfi_rules *rules = cfi_rules_new();
	struct cfi_table table;
	struct image image;
	u8 program[1000];

	(void)state;
	memset(program, DW_CFA_remember_state, sizeof(program));
	image_init(&image);
	section_begin(&image, true);
	put_common(&image, "zR");
	put_function(&image, 0x100, 0x100, program, sizeof(program));
	section_end(&image);
	assert_int_equal(image_compile(&image, rules, &table), 0);
	assert_int_equal(table.lost_count, 1);
	assert_int_equal(kind_at(rules, &table, 0x100), CFA_UNKNOWN);
	cfi_table_release(&table);
	cfi_rules_free(rules);
}

static void test_cfi_compile_more_rules_than_fit_become_unknown(void **state)
{
	enum {
		STEP_COUNT = 70000
	};
	struct cfi_rules *rules = cfi_rules_new();
	u8 *program = malloc(STEP_COUNT * 5);
	struct cfi_table table;
	struct image image;
	u32 count;

	(void)state;
	for (u32 i = 0; i < STEP_COUNT; i++) {
		const u8 step[] = {DW_CFA_def_cfa_offset, (u8)(i | 0x80), (u8)(i >> 7 | 0x80), (u8)(i >> 14 & 0x7f),
				   DW_CFA_advance_loc | 1};

		memcpy(program + i * sizeof(step), step, sizeof(step));
	}
	image_init(&image);
	section_begin(&image, true);
	put_common(&image, "zR");
	put_function(&image, 0x100, CODE_SIZE - 0x100, program, STEP_COUNT * 5);
	section_end(&image);
	free(program);
	assert_int_equal(image_compile(&image, rules, &table), 0);
	cfi_rules_get(rules, &count);
	assert_int_equal(count, UNWIND_RULES_MAX);
	assert_int_equal(rule_at(rules, &table, 0x100 + 65534).offset, 65534);
	assert_int_equal(kind_at(rules, &table, 0x100 + 65535), CFA_UNKNOWN);
	assert_true(table.lost_count > STEP_COUNT - UNWIND_RULES_MAX);
	cfi_table_release(&table);
	cfi_rules_free(rules);
}

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

/* Compile it, and ask the table everywhere. */
static void compile_damaged(const u8 *bytes, size_t size, struct cfi_rules *rules)
{
	struct cfi_table table;

	if (compile_bytes(bytes, size, rules, &table) != 0)
		return;
	for (u64 offset = 0; offset < (u64)table.words[0] << UNWIND_PAGE_SHIFT && offset < 4 * CODE_SIZE; offset += 509)
		rule_at(rules, &table, offset);
	cfi_table_release(&table);
}

static u8 *read_linker(size_t *ret_size)
{
	FILE *file = fopen("/lib64/ld-linux-x86-64.so.2", "re");
	struct stat status;
	u8 *bytes;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &status), 0);
	*ret_size = (size_t)status.st_size;
	bytes = malloc(*ret_size);
	assert_int_equal(fread(bytes, 1, *ret_size, file), *ret_size);
	fclose(file);
	return bytes;
}

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
	bytes = read_linker(&size);
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
	bytes = read_linker(&size);
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

static void test_cfi_compile_section_that_ends_anywhere_never_crashes(void **state)
{
	struct cfi_rules *rules = cfi_rules_new();
	struct image image;
	size_t size;

	(void)state;
	image_init(&image);
	section_begin(&image, true);
	for (size_t i = 0; i < ARRAY_LENGTH(samples); i++) {
		put_common(&image, samples[i].augmentation ? samples[i].augmentation : "zR");
		put_function(&image, 0x100 * i, 0x100, samples[i].program, samples[i].size);
	}
	section_end(&image);
	size = image.size - image.section;
	for (size_t cut = 0; cut < size; cut++) {
		headers_of(&image)->shdr[SHDR_EH_FRAME].sh_size = cut;
		compile_damaged(image.bytes, image.section + cut, rules);
	}
	free(image.bytes);
	cfi_rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cfi_compile_every_instruction_makes_its_rule),
		cmocka_unit_test(test_cfi_compile_too_much_remembered_is_lost),
		cmocka_unit_test(test_cfi_compile_more_rules_than_fit_become_unknown),
		cmocka_unit_test(test_cfi_compile_code_between_functions_has_no_rule),
		cmocka_unit_test(test_cfi_compile_functions_that_overlap_are_cut),
		cmocka_unit_test(test_cfi_compile_debug_frame_is_heard_where_eh_frame_is_silent),
		cmocka_unit_test(test_cfi_compile_what_cannot_be_is_refused),
		cmocka_unit_test(test_cfi_compile_damaged_entries_never_crash),
		cmocka_unit_test(test_cfi_compile_truncated_or_damaged_headers_never_crash),
		cmocka_unit_test(test_cfi_compile_section_that_ends_anywhere_never_crashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
