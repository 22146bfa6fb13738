/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A small ELF file field by field, valid until a test changes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "binary/elf.h"

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

static inline void set_phdr(struct image *image, int index, u32 type, u32 flags, size_t offset, size_t size)
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

static inline void set_shdr(struct image *image, int index, u32 type, size_t offset, size_t size, u32 link)
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

static inline Elf64_Sym function(u32 name, u16 section, u64 value, u64 size)
{
	return (Elf64_Sym){
		.st_name = name,
		.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
		.st_shndx = section,
		.st_value = value,
		.st_size = size,
	};
}

static inline void image_init(struct image *image)
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

static inline int file_with(const void *bytes, size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
	return fd;
}

static inline int image_open(const struct image *image, struct elf **ret_elf)
{
	return elf_open(file_with(image, sizeof(*image)), "image", ret_elf);
}

static inline struct elf *image_must_open(const struct image *image)
{
	struct elf *elf = NULL;

	assert_int_equal(image_open(image, &elf), 0);
	return elf;
}
