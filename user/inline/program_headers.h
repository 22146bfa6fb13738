/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The program headers of a file that is to have two segments more: where those lie, and the headers with them.
 *
 * The added segments lie behind all others in memory, and in the file at the same distance from the first one as in memory:
 * musl's loader, and kernels before 5.18, take the program headers to be at the file's base + e_phoff. So the file may have a hole
 * in front of them, which costs nothing on a tmpfs.
 */
#include <elf.h>
#include <stddef.h>

#include "include/types.h"

struct elf;

#define PROGRAM_HEADERS_ADDED 3 /* two segments and a note */

struct program_headers {
	Elf64_Ehdr file;
	Elf64_Phdr *rows;
	u32 count;
	u64 base; /* virtual address of the file's first byte, as its first segment has it; modulo 2^64 */
	u64 next; /* virtual address of the first page behind all segments, and at whose offset the file has ended */
};

/* What is added, by virtual addresses. */
struct program_addition {
	u64 headers;	      /* the new program headers; the segment that begins with them is mapped to be executed */
	u64 note, note_bytes; /* within it */
	u64 data, data_bytes; /* a segment without bytes in the file, directly behind */
	u64 eh_frame_hdr, eh_frame_hdr_bytes; /* within the first one: in place of the file's own; 0: that one stays */
	u64 filled; /* file offset to which the bytes of program_headers_to_fill go, zeros behind them; 0: nowhere */
};

/*
 * 0, -EBADMSG: the headers cannot be, or negative errno. *ret_refusal: why there can be no more segments, in a few words; or NULL.
 * Release in any case.
 */
int program_headers_read(const struct elf *elf, struct program_headers *ret_headers, const char **ret_refusal);
void program_headers_release(struct program_headers *headers);

/* The first row of that type; NULL: there is none. */
const Elf64_Phdr *program_headers_find(const struct program_headers *headers, u32 type);

/*
 * The segment of an interpreter that must have its zeros in the file, as other segments follow it: kernels before 6.7 make zeros
 * only behind all segments of an interpreter, and pages between them do not exist. NULL: there is none. A file without PT_INTERP
 * that can be started may be one; so may a library, as old linkers gave each an entry. Its new place is aligned to pages only, and
 * says so: glibc before 2.35 loads no segment whose place in the file and in memory differ by other than its alignment.
 */
const Elf64_Phdr *program_headers_to_fill(const struct program_headers *headers);

/* Bytes of the new headers. */
size_t program_headers_size(const struct program_headers *headers);

/* The new ELF header, and as many new program headers as program_headers_size has. */
void program_headers_write(const struct program_headers *headers, const struct program_addition *addition,
			   Elf64_Ehdr *ret_file, Elf64_Phdr *ret_rows);
