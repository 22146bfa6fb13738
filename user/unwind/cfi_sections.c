/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a file keeps its call frame information. The section headers say so; where they were stripped, the program
 * header that the C++ runtime itself goes by does. Nothing is mapped, for the reason that elf.c gives.
 */
#include "unwind/cfi_sections.h"

#include <dwarf.h>
#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#define SECTION_BYTES_MAX ((u64)64 << 20) /* the largest browsers have half of it */
/* Every function's address is looked for in all of them. Linkers make about ten. */
#define PROGRAM_HEADERS_MAX 256

/* The pointer formats that linkers give the first field of .eh_frame_hdr. */
#define FORMAT_ABSOLUTE 0x00
#define FORMAT_PCREL_S4 0x1b

static int read_by_name(const struct elf *elf, struct cfi_section sections[CFI_SECTION_COUNT])
{
	static const char *const names[CFI_SECTION_COUNT] = {
		[CFI_EH_FRAME] = ".eh_frame",
		[CFI_DEBUG_FRAME] = ".debug_frame",
	};

	for (int i = 0; i < CFI_SECTION_COUNT; i++) {
		struct cfi_section *section = &sections[i];
		int err = elf_read_section(elf, names[i], SECTION_BYTES_MAX, &section->bytes, &section->size,
					   &section->address);

		if (err && err != -ENOENT)
			return err;
	}
	return 0;
}

/* The address of .eh_frame that .eh_frame_hdr begins with. */
static int read_eh_frame_hdr(const struct elf *elf, const GElf_Phdr *header, u64 *ret_address)
{
	struct {
		u8 version, pointer_format, count_format, table_format;
		u8 pointer[8];
	} hdr = {0};
	s32 distance;
	ssize_t count;

	count = elf_read(elf, header->p_offset, &hdr, sizeof(hdr));
	if (count < 0)
		return (int)count;
	if ((size_t)count != sizeof(hdr) || hdr.version != 1)
		return -EBADMSG;
	switch (hdr.pointer_format) {
	case FORMAT_ABSOLUTE:
		memcpy(ret_address, hdr.pointer, sizeof(*ret_address));
		return 0;
	case FORMAT_PCREL_S4:
		memcpy(&distance, hdr.pointer, sizeof(distance));
		*ret_address = header->p_vaddr + 4 + (u64)(s64)distance;
		return 0;
	default:
		return -EBADMSG;
	}
}

static int read_by_segment(const struct elf *elf, Elf *handle, size_t header_count, struct cfi_section *section)
{
	GElf_Phdr header;
	size_t i;
	int err;

	for (i = 0; i < header_count; i++)
		if (gelf_getphdr(handle, (int)i, &header) && header.p_type == PT_GNU_EH_FRAME)
			break;
	if (i == header_count)
		return 0;
	err = read_eh_frame_hdr(elf, &header, &section->address);
	if (err)
		return err;
	for (i = 0; i < header_count; i++) {
		u64 skipped;

		if (!gelf_getphdr(handle, (int)i, &header) || header.p_type != PT_LOAD)
			continue;
		skipped = section->address - header.p_vaddr;
		if (section->address < header.p_vaddr || skipped >= header.p_filesz ||
		    header.p_offset > UINT64_MAX - skipped)
			continue;
		section->ends_at_zero = true;
		section->size = header.p_filesz - skipped;
		return elf_read_bytes(elf, header.p_offset + skipped, section->size, SECTION_BYTES_MAX,
				      &section->bytes);
	}
	return -EBADMSG;
}

int cfi_sections_read(const struct elf *elf, struct cfi_section ret_sections[CFI_SECTION_COUNT])
{
	struct cfi_section sections[CFI_SECTION_COUNT] = {[CFI_EH_FRAME] = {.is_eh_frame = true}};
	size_t header_count;
	int err = -EBADMSG;
	Elf *handle;

	elf_version(EV_CURRENT);
	handle = elf_begin(elf_fd(elf), ELF_C_READ, NULL);
	if (!handle || elf_getphdrnum(handle, &header_count) != 0 || header_count > PROGRAM_HEADERS_MAX)
		goto out;
	err = read_by_name(elf, sections);
	if (!err && !sections[CFI_EH_FRAME].bytes)
		err = read_by_segment(elf, handle, header_count, &sections[CFI_EH_FRAME]);
	if (!err && !sections[CFI_EH_FRAME].bytes && !sections[CFI_DEBUG_FRAME].bytes)
		err = -ENODATA;
out:
	if (err)
		cfi_sections_release(sections);
	else
		memcpy(ret_sections, sections, sizeof(sections));
	elf_end(handle);
	return err;
}

void cfi_sections_release(struct cfi_section sections[CFI_SECTION_COUNT])
{
	for (int i = 0; i < CFI_SECTION_COUNT; i++) {
		free(sections[i].bytes);
		sections[i].bytes = NULL;
	}
}

/* --- numbers, from bytes that may end anywhere --- */

u64 cfi_read_number(struct cfi_reader *reader, unsigned int size)
{
	u64 value = 0;

	if ((size_t)(reader->end - reader->at) < size) {
		reader->failed = true;
		reader->at = reader->end;
		return 0;
	}
	memcpy(&value, reader->at, size);
	reader->at += size;
	return value;
}

/* Either kind of LEB128; *ret_bits: how many bits were given. */
static u64 read_leb(struct cfi_reader *reader, unsigned int *ret_bits)
{
	unsigned int shift = 0;
	u64 value = 0;
	u8 byte;

	do {
		byte = cfi_read_byte(reader);
		if (shift < 64)
			value |= (u64)(byte & 0x7f) << shift;
		shift = shift < 64 ? shift + 7 : shift;
	} while (byte & 0x80);
	*ret_bits = shift;
	return value;
}

static u64 sign_extend(u64 value, unsigned int bits)
{
	return value >> (bits - 1) & 1 ? value | UINT64_MAX << bits : value;
}

u64 cfi_read_long_uleb(struct cfi_reader *reader)
{
	unsigned int bits;

	return read_leb(reader, &bits);
}

s64 cfi_read_sleb(struct cfi_reader *reader)
{
	unsigned int bits;
	u64 value = read_leb(reader, &bits);

	return (s64)(bits < 64 ? sign_extend(value, bits) : value);
}

/* The bytes of the pointer formats of fixed size. */
static const u8 pointer_bytes[0x10] = {
	[DW_EH_PE_absptr] = 8, [DW_EH_PE_udata2] = 2, [DW_EH_PE_udata4] = 4, [DW_EH_PE_udata8] = 8,
	[DW_EH_PE_sdata2] = 2, [DW_EH_PE_sdata4] = 4, [DW_EH_PE_sdata8] = 8,
};

u64 cfi_read_pointer(struct cfi_reader *reader, u8 encoding, const struct cfi_section *section)
{
	u8 format = encoding & 0x0f, bytes = pointer_bytes[format];
	u64 base = 0, value = 0;

	if (section && (encoding & 0x70) == DW_EH_PE_pcrel)
		base = section->address + (u64)(reader->at - section->bytes);
	else if (section && (encoding & 0x70) != 0)
		reader->failed = true;
	if (encoding & DW_EH_PE_indirect)
		reader->failed = true;
	if (format == DW_EH_PE_uleb128)
		value = cfi_read_uleb(reader);
	else if (format == DW_EH_PE_sleb128)
		value = (u64)cfi_read_sleb(reader);
	else if (bytes)
		value = cfi_read_number(reader, bytes);
	else
		reader->failed = true;
	if (bytes && bytes < 8 && format & DW_EH_PE_signed)
		value = sign_extend(value, 8 * bytes);
	return base + value;
}

struct cfi_reader cfi_read_block(struct cfi_reader *reader)
{
	u64 size = cfi_read_uleb(reader);
	struct cfi_reader block = {.at = reader->at, .end = reader->at};

	if (size > (u64)(reader->end - reader->at)) {
		reader->failed = true;
		return block;
	}
	block.end += size;
	reader->at += size;
	return block;
}
