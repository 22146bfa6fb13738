/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/program_headers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "binary/elf.h"
#include "include/sampler.h"

#define ROWS_MAX    128
#define ADDRESS_MAX (1ULL << 47)

#define DYNAMIC_BYTES_MAX (1U << 20)

static u64 page_up(u64 value)
{
	return (value + SAMPLER_PAGE - 1) & ~(u64)(SAMPLER_PAGE - 1);
}

static u64 greater(u64 one, u64 other)
{
	return one > other ? one : other;
}

/* --- how far the file is described --- */

/* *end: the end of what is known so far of the file. */
static int include_sections(const struct elf *elf, const Elf64_Ehdr *file, u64 *end)
{
	u64 size = (u64)file->e_shnum * sizeof(Elf64_Shdr);
	Elf64_Shdr *sections;
	int err;

	if (!file->e_shoff || !size)
		return 0;
	if (file->e_shentsize != sizeof(Elf64_Shdr))
		return -EBADMSG;
	err = elf_read_bytes(elf, file->e_shoff, size, size, (u8 **)&sections);
	if (err)
		return err;
	*end = greater(*end, file->e_shoff + size);
	for (u32 i = 0; i < file->e_shnum; i++)
		if (sections[i].sh_type != SHT_NOBITS)
			*end = greater(*end, sections[i].sh_offset + sections[i].sh_size);
	free(sections);
	return 0;
}

/* A program that looks for data of its own at the end of its file would not find it any longer. */
static int check_end(const struct elf *elf, const struct program_headers *headers, u64 file_size,
		     const char **ret_refusal)
{
	u64 end = 0;
	int err;

	for (u32 i = 0; i < headers->count; i++)
		end = greater(end, headers->rows[i].p_offset + headers->rows[i].p_filesz);
	err = include_sections(elf, &headers->file, &end);
	if (!err && end < file_size)
		*ret_refusal = "its file has data behind what its headers describe";
	return err;
}

/* The loader would write its relocations over the jumps to the fast paths. */
static int check_relocations(const struct elf *elf, const struct program_headers *headers, const char **ret_refusal)
{
	const Elf64_Phdr *row = program_headers_find(headers, PT_DYNAMIC);
	Elf64_Dyn *entries;
	int err;

	if (!row)
		return 0;
	err = elf_read_bytes(elf, row->p_offset, row->p_filesz, DYNAMIC_BYTES_MAX, (u8 **)&entries);
	if (err)
		return err;
	for (u64 i = 0; i < row->p_filesz / sizeof(*entries) && entries[i].d_tag != DT_NULL; i++)
		if (entries[i].d_tag == DT_TEXTREL ||
		    (entries[i].d_tag == DT_FLAGS && entries[i].d_un.d_val & DF_TEXTREL))
			*ret_refusal = "its code is relocated when it is loaded";
	free(entries);
	return 0;
}

/* --- segments --- */

static bool is_possible(const Elf64_Phdr *row)
{
	return row->p_vaddr < ADDRESS_MAX && row->p_memsz < ADDRESS_MAX && row->p_offset < ADDRESS_MAX &&
	       row->p_filesz <= row->p_memsz;
}

static int place(struct program_headers *headers, u64 file_size, const char **ret_refusal)
{
	const Elf64_Phdr *first = program_headers_find(headers, PT_LOAD);
	u64 end = 0;

	if (!first)
		return -EBADMSG;
	for (u32 i = 0; i < headers->count; i++) {
		const Elf64_Phdr *row = &headers->rows[i];

		if (row->p_type != PT_LOAD)
			continue;
		if (!is_possible(row))
			return -EBADMSG;
		if (row->p_vaddr < end)
			*ret_refusal = "its segments are not in the order of their addresses";
		end = greater(end, row->p_vaddr + row->p_memsz);
	}
	headers->base = first->p_vaddr - first->p_offset;
	headers->next = page_up(greater(end, headers->base + file_size));
	return 0;
}

static int read_rows(const struct elf *elf, struct program_headers *headers)
{
	u64 size = (u64)headers->file.e_phnum * sizeof(Elf64_Phdr);

	if (headers->file.e_phentsize != sizeof(Elf64_Phdr) || headers->file.e_phnum > ROWS_MAX)
		return -EBADMSG;
	headers->count = headers->file.e_phnum;
	return elf_read_bytes(elf, headers->file.e_phoff, size, size, (u8 **)&headers->rows);
}

int program_headers_read(const struct elf *elf, struct program_headers *ret_headers, const char **ret_refusal)
{
	struct stat status;
	int err;

	*ret_headers = (struct program_headers){0};
	*ret_refusal = NULL;
	if (elf_read(elf, 0, &ret_headers->file, sizeof(ret_headers->file)) != sizeof(ret_headers->file))
		return -EBADMSG;
	if (fstat(elf_fd(elf), &status))
		return -errno;
	err = read_rows(elf, ret_headers);
	if (!err)
		err = place(ret_headers, (u64)status.st_size, ret_refusal);
	if (!err && !*ret_refusal)
		err = check_end(elf, ret_headers, (u64)status.st_size, ret_refusal);
	if (!err && !*ret_refusal)
		err = check_relocations(elf, ret_headers, ret_refusal);
	return err;
}

void program_headers_release(struct program_headers *headers)
{
	free(headers->rows);
	*headers = (struct program_headers){0};
}

const Elf64_Phdr *program_headers_find(const struct program_headers *headers, u32 type)
{
	for (u32 i = 0; i < headers->count; i++)
		if (headers->rows[i].p_type == type)
			return &headers->rows[i];
	return NULL;
}

static const Elf64_Phdr *last_segment(const struct program_headers *headers)
{
	const Elf64_Phdr *last = NULL;

	for (u32 i = 0; i < headers->count; i++)
		if (headers->rows[i].p_type == PT_LOAD)
			last = &headers->rows[i];
	return last;
}

const Elf64_Phdr *program_headers_to_fill(const struct program_headers *headers)
{
	const Elf64_Phdr *last = last_segment(headers);
	bool starts =
		headers->file.e_type == ET_DYN && headers->file.e_entry && !program_headers_find(headers, PT_INTERP);

	return starts && last->p_memsz > last->p_filesz ? last : NULL;
}

size_t program_headers_size(const struct program_headers *headers)
{
	return (headers->count + PROGRAM_HEADERS_ADDED) * sizeof(Elf64_Phdr);
}

/* --- writing --- */

static Elf64_Phdr *put_row(Elf64_Phdr *to, Elf64_Phdr row, u64 base, u64 address, u64 size)
{
	row.p_offset = address - base;
	row.p_vaddr = row.p_paddr = address;
	row.p_filesz = row.p_memsz = size;
	*to = row;
	return to + 1;
}

static Elf64_Phdr *put_segments(Elf64_Phdr *to, const struct program_headers *headers,
				const struct program_addition *addition)
{
	const Elf64_Phdr code = {.p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_align = SAMPLER_PAGE};
	const Elf64_Phdr data = {.p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_align = SAMPLER_PAGE};

	to = put_row(to, code, headers->base, addition->headers, addition->data - addition->headers);
	to = put_row(to, data, headers->base, addition->data, addition->data_bytes);
	to[-1].p_filesz = 0;
	return to;
}

void program_headers_write(const struct program_headers *headers, const struct program_addition *addition,
			   Elf64_Ehdr *ret_file, Elf64_Phdr *ret_rows)
{
	const Elf64_Phdr note = {.p_type = PT_NOTE, .p_flags = PF_R, .p_align = 4};
	u64 base = headers->base;
	const Elf64_Phdr *last = last_segment(headers);
	Elf64_Phdr *to = ret_rows;

	for (u32 i = 0; i < headers->count; i++) {
		const Elf64_Phdr *row = &headers->rows[i];

		if (row->p_type == PT_PHDR)
			to = put_row(to, *row, base, addition->headers, program_headers_size(headers));
		else if (row->p_type == PT_GNU_EH_FRAME && addition->eh_frame_hdr)
			to = put_row(to, *row, base, addition->eh_frame_hdr, addition->eh_frame_hdr_bytes);
		else
			*to++ = *row;
		if (row == last && addition->filled) {
			to[-1].p_offset = addition->filled;
			to[-1].p_filesz = row->p_memsz;
			to[-1].p_align = SAMPLER_PAGE;
		}
		if (row == last)
			to = put_segments(to, headers, addition);
	}
	put_row(to, note, base, addition->note, addition->note_bytes);
	*ret_file = headers->file;
	ret_file->e_phoff = addition->headers - base;
	ret_file->e_phnum = (u16)(headers->count + PROGRAM_HEADERS_ADDED);
}
