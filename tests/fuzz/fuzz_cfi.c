/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: any bytes as call frame information. The first says how they are to be seen: as one section of a
 * file that is otherwise sound (.eh_frame or .debug_frame), or as the whole file.
 */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "unwind/compile.h"

#define CODE_VADDR 0x400000
#define CODE_SIZE  0x100000

static const char names[] = "\0.eh_frame\0.debug_frame";

struct headers {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr;
	Elf64_Shdr shdr[3];
	char names[sizeof(names)];
};

static void write_headers(struct headers *headers, int is_debug_frame, size_t size)
{
	*headers = (struct headers){
		.ehdr =
			{
				.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
				.e_type = ET_EXEC,
				.e_machine = EM_X86_64,
				.e_version = EV_CURRENT,
				.e_phoff = offsetof(struct headers, phdr),
				.e_shoff = offsetof(struct headers, shdr),
				.e_ehsize = sizeof(headers->ehdr),
				.e_phentsize = sizeof(headers->phdr),
				.e_phnum = 1,
				.e_shentsize = sizeof(headers->shdr[0]),
				.e_shnum = 3,
				.e_shstrndx = 2,
			},
		.phdr =
			{
				.p_type = PT_LOAD,
				.p_flags = PF_R | PF_X,
				.p_vaddr = CODE_VADDR,
				.p_filesz = CODE_SIZE,
				.p_memsz = CODE_SIZE,
			},
		.shdr =
			{
				[1] =
					{
						.sh_name = is_debug_frame ? sizeof(".eh_frame") + 1 : 1,
						.sh_type = SHT_PROGBITS,
						.sh_offset = sizeof(*headers),
						.sh_size = size,
						.sh_addr = CODE_VADDR + sizeof(*headers),
					},
				[2] =
					{
						.sh_type = SHT_STRTAB,
						.sh_offset = offsetof(struct headers, names),
						.sh_size = sizeof(names),
					},
			},
	};
	memcpy(headers->names, names, sizeof(names));
}

/* Every row names an existing rule, at every address. */
static void check(const struct cfi_table *table, const struct cfi_rules *rules)
{
	u32 count, rule;

	cfi_rules_get(rules, &count);
	for (u32 i = table->words[0] + 2; i < table->count; i++)
		if (table->words[i] >> 16 >= count)
			abort();
	for (u64 offset = 0; offset < CODE_SIZE; offset += 4093)
		if (cfi_lookup(table, offset, &rule) == 0 && rule >= count)
			abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct cfi_rules *rules;
	struct headers headers;
	struct cfi_table table;
	struct elf *elf;
	int fd;

	if (size == 0)
		return 0;
	rules = rules ? rules : cfi_rules_new();
	fd = memfd_create("input", MFD_CLOEXEC);
	write_headers(&headers, data[0] & 1, size - 1);
	if ((!(data[0] & 2) && write(fd, &headers, sizeof(headers)) < 0) || write(fd, data + 1, size - 1) < 0) {
		close(fd);
		return 0;
	}
	if (elf_open(fd, "input", &elf) != 0)
		return 0;
	if (cfi_compile(elf, rules, &table) == 0) {
		check(&table, rules);
		cfi_table_release(&table);
	}
	elf_free(elf);
	return 0;
}
