/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/section_headers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"

#define ADDED	       2 /* the names, and .debug_frame */
#define NAMES_SIZE_MAX (64U << 20)

static const char name[] = ".debug_frame";

/* The file's own. */
struct sections {
	Elf64_Shdr *rows;
	u32 count;
	u8 *names;
	u64 names_size;
};

static int read_names(const struct elf *elf, const Elf64_Ehdr *file, struct sections *sections)
{
	const Elf64_Shdr *row = &sections->rows[file->e_shstrndx];

	sections->names_size = row->sh_size;
	return elf_read_bytes(elf, row->sh_offset, row->sh_size, NAMES_SIZE_MAX, &sections->names);
}

static int read_sections(const struct elf *elf, const Elf64_Ehdr *file, struct sections *sections)
{
	u64 size = (u64)file->e_shnum * sizeof(Elf64_Shdr);
	int err;

	if (!file->e_shoff || file->e_shstrndx >= file->e_shnum || file->e_shnum > SHN_LORESERVE - 1 - ADDED)
		return 0;
	if (file->e_shentsize != sizeof(Elf64_Shdr))
		return -EBADMSG;
	sections->count = file->e_shnum;
	err = elf_read_bytes(elf, file->e_shoff, size, size, (u8 **)&sections->rows);
	return err ? err : read_names(elf, file, sections);
}

static bool has_section(const struct sections *sections)
{
	for (u32 i = 0; i < sections->count; i++) {
		u64 at = sections->rows[i].sh_name;

		if (at < sections->names_size && !strcmp((char *)sections->names + at, name))
			return true;
	}
	return false;
}

/* The header of a section that is not loaded. */
static Elf64_Shdr row(u32 name_at, u32 type, u64 offset, u64 size, u64 alignment)
{
	return (Elf64_Shdr){
		.sh_name = name_at,
		.sh_type = type,
		.sh_offset = offset,
		.sh_size = size,
		.sh_addralign = alignment,
	};
}

/* Contents, headers, names, by their offsets from the first of them. */
struct layout {
	u64 size, headers, names, names_size, end;
};

static struct layout lay_out(const struct sections *sections, u64 size)
{
	struct layout layout = {.size = size, .headers = (size + 7) & ~7ULL};

	layout.names = layout.headers + (sections->count + ADDED) * sizeof(Elf64_Shdr);
	layout.names_size = sections->names_size + sizeof(name);
	layout.end = layout.names + layout.names_size;
	return layout;
}

static void write(const struct sections *sections, const struct layout *layout, Elf64_Ehdr *file, u64 offset, u8 *bytes)
{
	Elf64_Shdr *to = (Elf64_Shdr *)(bytes + layout->headers);
	u32 own_name = sections->rows[file->e_shstrndx].sh_name, new_name = (u32)sections->names_size;

	memcpy(to, sections->rows, sections->count * sizeof(*to));
	to[sections->count] = row(new_name, SHT_PROGBITS, offset, layout->size, 8);
	to[sections->count + 1] = row(own_name, SHT_STRTAB, offset + layout->names, layout->names_size, 1);
	memcpy(bytes + layout->names, sections->names, sections->names_size);
	memcpy(bytes + layout->names + sections->names_size, name, sizeof(name));
	file->e_shoff = offset + layout->headers;
	file->e_shnum = (u16)(sections->count + ADDED);
	file->e_shstrndx = (u16)(sections->count + 1);
}

static int add(const struct sections *sections, Elf64_Ehdr *file, const u8 *contents, u64 size, u64 offset,
	       struct section_addition *ret_addition)
{
	struct layout layout = lay_out(sections, size);
	u8 *bytes = calloc(1, layout.end);

	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, contents, size);
	write(sections, &layout, file, offset, bytes);
	*ret_addition = (struct section_addition){.bytes = bytes, .size = layout.end};
	return 0;
}

int section_headers_add(const struct elf *elf, Elf64_Ehdr *file, const u8 *contents, u64 size, u64 offset,
			struct section_addition *ret_addition)
{
	struct sections sections = {0};
	int err = read_sections(elf, file, &sections);

	*ret_addition = (struct section_addition){0};
	if (!err && sections.count && !has_section(&sections))
		err = add(&sections, file, contents, size, offset, ret_addition);
	free(sections.rows);
	free(sections.names);
	return err;
}
