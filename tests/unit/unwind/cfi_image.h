/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Unwind information built instruction by instruction, in files of which only what is needed is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dwarf.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unwind/compile.h"

#define CODE_VADDR	    0x400000
#define CODE_SIZE	    0x100000
#define IMAGE_SIZE	    (1u << 20)
#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* A file with code of CODE_SIZE from offset 0 on, of which only the headers and the sections are there. */
struct image {
	u8 *bytes;
	size_t size;
	size_t section, entry, common; /* offsets of what is being written */
	bool is_eh_frame;
};

static inline void put(struct image *image, const void *bytes, size_t size)
{
	assert_true(image->size + size <= IMAGE_SIZE);
	if (size > 0)
		memcpy(image->bytes + image->size, bytes, size);
	image->size += size;
}

static inline void put_number(struct image *image, u64 value, size_t size)
{
	put(image, &value, size);
}

static inline void put_string(struct image *image, const char *string)
{
	put(image, string, strlen(string) + 1);
}

static inline void entry_begin(struct image *image, u32 pointer)
{
	image->entry = image->size;
	put_number(image, 0, 4);
	put_number(image, pointer, 4);
}

static inline void entry_end(struct image *image)
{
	u32 size = (u32)(image->size - image->entry - 4);

	memcpy(image->bytes + image->entry, &size, sizeof(size));
}

/* An entry whose functions begin with cfa = sp + 8, the return address at cfa - 8. */
static inline void put_common(struct image *image, const char *augmentation)
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

/* A function of the last common entry. */
static inline void put_function(struct image *image, u64 distance, u64 size, const void *program, size_t program_size)
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

static inline struct headers *headers_of(struct image *image)
{
	return (struct headers *)image->bytes;
}

static inline void image_init(struct image *image)
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

static inline void section_begin(struct image *image, bool is_eh_frame)
{
	image->section = image->size;
	image->is_eh_frame = is_eh_frame;
}

static inline void section_end(struct image *image)
{
	headers_of(image)->shdr[image->is_eh_frame ? SHDR_EH_FRAME : SHDR_DEBUG_FRAME] = (Elf64_Shdr){
		.sh_name = image->is_eh_frame ? 1 : sizeof(".eh_frame") + 1,
		.sh_type = SHT_PROGBITS,
		.sh_offset = image->section,
		.sh_size = image->size - image->section,
		.sh_addr = CODE_VADDR + image->section,
	};
}

static inline int compile_bytes(const u8 *bytes, size_t size, struct cfi_rules *rules, struct cfi_table *ret_table)
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

static inline int image_compile(struct image *image, struct cfi_rules *rules, struct cfi_table *ret_table)
{
	int err = compile_bytes(image->bytes, image->size, rules, ret_table);

	free(image->bytes);
	return err;
}

static inline struct unwind_rule rule_at(const struct cfi_rules *rules, const struct cfi_table *table, u64 offset)
{
	u32 count, index;
	const struct unwind_rule *all = cfi_rules_get(rules, &count);

	assert_int_equal(cfi_lookup(table, offset, &index), 0);
	assert_true(index < count);
	return all[index];
}

static inline u8 kind_at(const struct cfi_rules *rules, const struct cfi_table *table, u64 offset)
{
	return rule_at(rules, table, offset).cfa;
}

/* Compile it, and ask the table everywhere. */
static inline void compile_damaged(const u8 *bytes, size_t size, struct cfi_rules *rules)
{
	struct cfi_table table;

	if (compile_bytes(bytes, size, rules, &table) != 0)
		return;
	for (u64 offset = 0; offset < (u64)table.words[0] << UNWIND_PAGE_SHIFT && offset < 4 * CODE_SIZE; offset += 509)
		rule_at(rules, &table, offset);
	cfi_table_release(&table);
}
