/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a copy: libdw trusts its sections more than a hostile file deserves. It reads strings until their NUL, wherever
 * that may be; it opens the file that .gnu_debugaltlink names; and a mapped file that is shortened
 * would end heaptap with SIGBUS. In the copy every section is unpacked, of a size known before, and followed by zeros, and no section is
 * there but those needed.
 */
#include "binary/dwarf_copy.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf_internal.h"
#include "binary/range_lists.h"
#include "binary/split_package.h"

#define SECTIONS_BYTES_MAX (1ull << 30)
#define GUARD_BYTES	   64 /* behind a section: a NUL for the last string, and room for a number cut off */
#define PART_MAX	   9

static const char *const wanted[PART_MAX] = {
	".debug_info",	 ".debug_abbrev",   ".debug_line", ".debug_str",	 ".debug_line_str",
	".debug_ranges", ".debug_rnglists", ".debug_addr", ".debug_str_offsets",
};

#define RANGES	 5
#define RNGLISTS 6

static const enum split_section in_package[PART_MAX] = {
	SPLIT_INFO,   SPLIT_ABBREV,   SPLIT_LINE,   SPLIT_SHARED,      SPLIT_SHARED,
	SPLIT_SHARED, SPLIT_RNGLISTS, SPLIT_SHARED, SPLIT_STR_OFFSETS,
};

struct part {
	Elf_Scn *section; /* NULL: the file has none */
	u64 file_offset;
	u64 size;	    /* unpacked */
	u64 skipped, whole; /* of the unpacked section: what is before, and all */
	u64 at;		    /* offset in the image */
	enum {
		PLAIN,
		PACKED,	    /* SHF_COMPRESSED */
		PACKED_GNU, /* .zdebug_..., of older tools */
	} form;
};

struct layout {
	const char *suffix; /* of all names */
	struct part parts[PART_MAX];
	u64 names, headers, size;
};

/* "ZLIB", and the size, big-endian. */
static u64 gnu_size(Elf_Scn *section)
{
	const Elf_Data *data = elf_rawdata(section, NULL);
	u64 size;

	if (!data || data->d_size < 4 + sizeof(size) || memcmp(data->d_buf, "ZLIB", 4) != 0)
		return 0;
	memcpy(&size, (const char *)data->d_buf + 4, sizeof(size));
	return be64toh(size);
}

/* Is `name` that of part `i`? */
static bool is_name(const char *name, unsigned int i, const char *suffix, bool *ret_gnu)
{
	size_t length = strlen(wanted[i]) - 1;

	*ret_gnu = !strncmp(name, ".z", 2);
	name += *ret_gnu ? 2 : 1;
	return !strncmp(name, wanted[i] + 1, length) && !strcmp(name + length, suffix);
}

/* libelf reads a packed section whole to tell its size, and keeps it: *left is what they may have together. */
static int add_part(struct part *part, Elf_Scn *section, const GElf_Shdr *header, bool gnu, u64 *left)
{
	GElf_Chdr packed;

	if ((gnu || header->sh_flags & SHF_COMPRESSED) && !elf_spend(left, header->sh_size))
		return -EFBIG;
	*part = (struct part){.section = section, .file_offset = header->sh_offset, .size = header->sh_size};
	if (header->sh_flags & SHF_COMPRESSED) {
		part->form = PACKED;
		part->size = gelf_getchdr(section, &packed) ? packed.ch_size : 0;
	} else if (gnu) {
		part->form = PACKED_GNU;
		part->size = gnu_size(section);
	}
	part->whole = part->size;
	return part->form != PLAIN && !elf_packs(header->sh_size, part->size) ? -EFBIG : 0;
}

static int find_parts(const struct elf *file, Elf *elf, const char *suffix, struct part parts[PART_MAX])
{
	u64 left = SECTIONS_BYTES_MAX;
	struct section_names names;
	Elf_Scn *section = NULL;
	int err = elf_section_names(file, elf, &names);

	if (err)
		return err == -ENOMEM ? err : -ENODATA;
	while (!err && (section = elf_nextscn(elf, section))) {
		const char *name;
		GElf_Shdr header;
		bool gnu;

		if (!gelf_getshdr(section, &header) || !(name = elf_section_name(&names, header.sh_name)) ||
		    header.sh_type == SHT_NOBITS || !*name)
			continue;
		for (unsigned int i = 0; !err && i < PART_MAX; i++)
			if (!parts[i].section && is_name(name, i, suffix, &gnu))
				err = add_part(&parts[i], section, &header, gnu, &left);
	}
	free(names.bytes);
	return err;
}

static int take_part(struct part *part, u64 offset, u64 size)
{
	if (!elf_holds(offset, size, part->whole))
		return -ENODATA;
	part->skipped = offset;
	part->size = size;
	return 0;
}

/* A unit in a package has a part of each section that is not shared. */
static int take_parts(struct part parts[PART_MAX], const struct split_parts *unit)
{
	int err = 0;

	for (unsigned int i = 0; unit && !err && i < PART_MAX; i++)
		if (in_package[i] != SPLIT_SHARED)
			err = take_part(&parts[i], unit->of[in_package[i]].offset, unit->of[in_package[i]].size);
	return err;
}

/* libdw takes no file without units: strings get an empty one beside them. */
static int check_parts(struct part parts[PART_MAX], enum dwarf_copy_of of)
{
	if (parts[0].section && parts[1].section)
		return 0;
	if (of != DWARF_ALTERNATE || parts[0].section)
		return -ENODATA;
	parts[0].size = sizeof(u32);
	return 0;
}

static u64 align(u64 offset)
{
	return (offset + 15) & ~15ull;
}

/* Header, parts, section names, section headers; guards between and at the end. */
static int lay_out(struct layout *layout)
{
	u64 at = sizeof(Elf64_Ehdr);

	for (unsigned int i = 0; i < PART_MAX; i++) {
		if (layout->parts[i].size > SECTIONS_BYTES_MAX)
			return -EFBIG;
		layout->parts[i].at = align(at);
		at = layout->parts[i].at + layout->parts[i].size + GUARD_BYTES;
		if (at > SECTIONS_BYTES_MAX)
			return -EFBIG;
	}
	layout->names = at;
	at++; /* the empty name */
	for (unsigned int i = 0; i < PART_MAX; i++)
		at += strlen(wanted[i]) + strlen(layout->suffix) + 1;
	layout->headers = align(at);
	layout->size = layout->headers + (PART_MAX + 2) * sizeof(Elf64_Shdr) + GUARD_BYTES;
	return 0;
}

static int read_plain(const struct elf *file, const struct part *part, u8 *to)
{
	ssize_t count = elf_read(file, part->file_offset + part->skipped, to, part->size);

	return count < 0 || (u64)count != part->size ? -ENODATA : 0;
}

static int read_packed(const struct part *part, u8 *to)
{
	const Elf_Data *data;
	GElf_Chdr header;

	if (part->form == PACKED_GNU && elf_compress_gnu(part->section, 0, 0) < 0)
		return -ENODATA;
	if (part->form == PACKED && !gelf_getchdr(part->section, &header))
		return -ENODATA;
	if (part->form == PACKED && elf_compress(part->section, 0, 0) < 0)
		return header.ch_type == ELFCOMPRESS_ZLIB ? -ENODATA : -ENOTSUP; /* libelf below 0.189 has no zstd */
	data = elf_rawdata(part->section, NULL);
	if (!data || data->d_size != part->whole)
		return -ENODATA;
	memcpy(to, (const u8 *)data->d_buf + part->skipped, part->size);
	return 0;
}

static void write_headers(u8 *image, const struct layout *layout)
{
	Elf64_Shdr *headers = (Elf64_Shdr *)(image + layout->headers);
	Elf64_Ehdr *header = (Elf64_Ehdr *)image;
	u32 name = 1;

	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_ident[EI_VERSION] = EV_CURRENT;
	header->e_type = ET_DYN;
	header->e_machine = EM_X86_64;
	header->e_version = EV_CURRENT;
	header->e_shoff = layout->headers;
	header->e_ehsize = sizeof(*header);
	header->e_shentsize = sizeof(*headers);
	header->e_shnum = PART_MAX + 2;
	header->e_shstrndx = PART_MAX + 1;
	for (unsigned int i = 0; i < PART_MAX; i++) {
		stpcpy(stpcpy((char *)image + layout->names + name, wanted[i]), layout->suffix);
		headers[i + 1] = (Elf64_Shdr){
			.sh_name = name,
			.sh_type = layout->parts[i].size ? SHT_PROGBITS : SHT_NULL,
			.sh_offset = layout->parts[i].at,
			.sh_size = layout->parts[i].size,
			.sh_addralign = 1,
		};
		name += strlen(wanted[i]) + strlen(layout->suffix) + 1;
	}
	headers[PART_MAX + 1] = (Elf64_Shdr){
		.sh_type = SHT_STRTAB,
		.sh_offset = layout->names,
		.sh_size = name,
		.sh_addralign = 1,
	};
}

/* Lists that were made to be slow to read are as good as none. */
static void drop_slow(struct part *part, unsigned int i, const u8 *bytes)
{
	if (i != RANGES && i != RNGLISTS)
		return;
	if (part->size > RANGE_LISTS_BYTES_MAX || range_lists_are_slow(bytes, part->size, i == RANGES))
		part->size = 0;
}

static int fill(const struct elf *file, struct layout *layout, u8 *image)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < PART_MAX; i++) {
		struct part *part = &layout->parts[i];

		if (!part->section || !part->size)
			continue;
		err = part->form != PLAIN ? read_packed(part, image + part->at)
					  : read_plain(file, part, image + part->at);
		if (!err)
			drop_slow(part, i, image + part->at);
	}
	write_headers(image, layout);
	return err;
}

int dwarf_copy_read(const struct elf *file, enum dwarf_copy_of of, const struct split_parts *parts, u8 **ret_image,
		    size_t *ret_size)
{
	Elf *elf = elf_is_64bit_x86(file) ? elffile_handle(file) : NULL;
	struct layout layout = {.suffix = of == DWARF_SPLIT ? ".dwo" : ""};
	u8 *image = NULL;
	int err;

	if (!elf)
		return -ENODATA;
	err = find_parts(file, elf, layout.suffix, layout.parts);
	err = err ? err : take_parts(layout.parts, parts);
	err = err ? err : check_parts(layout.parts, of);
	err = err ? err : lay_out(&layout);
	if (!err) {
		image = calloc(1, layout.size);
		err = image ? fill(file, &layout, image) : -ENOMEM;
	}
	elf_end(elf);
	if (err) {
		free(image);
		return err;
	}
	*ret_image = image;
	*ret_size = layout.size;
	return 0;
}
