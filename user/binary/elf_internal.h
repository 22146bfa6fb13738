/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What elf.c keeps of a file, for those that read its tables. */
#include <stdbool.h>
#include <sys/types.h>

#include <gelf.h>
#include <libelf.h>

#include "binary/elf.h"

/* The part of an executable PT_LOAD that comes from the file. */
struct segment {
	u64 vaddr;
	u64 offset;
	u64 size;
};

struct elf {
	int fd;
	char *path;
	dev_t device;
	ino_t inode;
	u64 file_size;
	bool is_64bit_x86;
	char *interpreter;
	u8 build_id[BUILD_ID_MAX];
	unsigned int build_id_size;
	struct segment *segments;
	size_t segment_count;
};

/* A libelf handle over the file, for the caller to elf_end; NULL: no ELF file, or no memory. */
Elf *elffile_handle(const struct elf *elf);

/* The names of a file's sections; `bytes` for the caller to free. */
struct section_names {
	char *bytes; /* 64 zeros follow */
	u64 size;
};

/* 0; -EBADMSG, -EFBIG: there are none that can be; -ENOMEM or an error of reading. Then there is nothing to be freed. */
int elf_section_names(const struct elf *elf, Elf *handle, struct section_names *ret_names);

/* NULL: there is none. */
const char *elf_section_name(const struct section_names *names, u64 offset);

/* Whether a place that a header names lies below `limit`; neither number is trusted. */
bool elf_holds(u64 offset, u64 size, u64 limit);

/*
 * Whether a compressed section may have that size unpacked: DWARF packs three to ten times, and what packs a thousand times
 * is there to take memory.
 */
static inline bool elf_packs(u64 packed, u64 unpacked)
{
	return unpacked <= 1 << 20 || unpacked / 64 <= packed;
}

#define ELF_GUARD_BYTES 64 /* zeros behind what is read */

#define SEGMENTS_MAX 128 /* PT_LOADs of a file; real ones have three to ten */

/*
 * What one walk over the functions of a file may cost, in bytes read of tables and names. Several sections may be one table,
 * and long names may share their bytes, so a file of moderate size could cost hours.
 */
#define WALK_BYTES_MAX	  ((u64)2 << 30)
#define WALK_SYMBOL_BYTES 128 /* what looking a function up costs, as bytes of names */

/* False: there is no more to be spent. */
static inline bool elf_spend(u64 *left, u64 bytes)
{
	if (bytes > *left)
		return false;
	*left -= bytes;
	return true;
}

/* The file offset of `vaddr` and how many bytes of its segment follow. 0, or -ENOENT: no code of the file. */
int elf_find_vaddr(const struct elf *elf, u64 vaddr, u64 *ret_offset, u64 *ret_left);
