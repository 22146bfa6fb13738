/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The sections of a file that hold call frame information, read into memory, and the numbers in them. */
#include "binary/elf.h"

struct cfi_section {
	u8 *bytes; /* followed by zeros, so that a number cut off ends; NULL: the file has no such section */
	u64 size;
	u64 address; /* virtual, of the first byte */
	bool is_eh_frame;
	bool ends_at_zero; /* the size is only a limit: the first empty entry is the end */
};

enum {
	CFI_EH_FRAME,
	CFI_DEBUG_FRAME,
	CFI_SECTION_COUNT
};

/*
 * 0; -ENODATA: neither is there; -EBADMSG: headers that cannot be; -EFBIG: over 64 MiB; -ENOMEM or an error of reading.
 * On success the caller releases the sections.
 */
int cfi_sections_read(const struct elf *elf, struct cfi_section ret_sections[CFI_SECTION_COUNT]);

void cfi_sections_release(struct cfi_section sections[CFI_SECTION_COUNT]);

/* Bytes still to be read. Reading beyond the end gives zeros and sets `failed`. */
struct cfi_reader {
	const u8 *at, *end;
	bool failed;
};

u64 cfi_read_number(struct cfi_reader *reader, unsigned int size);
u64 cfi_read_long_uleb(struct cfi_reader *reader); /* of any length */
s64 cfi_read_sleb(struct cfi_reader *reader);

/* Inline, as the next one: a large library has millions of them. */
static inline u8 cfi_read_byte(struct cfi_reader *reader)
{
	if (reader->at == reader->end) {
		reader->failed = true;
		return 0;
	}
	return *reader->at++;
}

static inline u64 cfi_read_uleb(struct cfi_reader *reader)
{
	if (reader->at < reader->end && !(*reader->at & 0x80))
		return *reader->at++;
	return cfi_read_long_uleb(reader);
}

/* A size and so many bytes, as expressions are written. Empty when they are not there. */
struct cfi_reader cfi_read_block(struct cfi_reader *reader);

/*
 * A pointer in the format `encoding` (DW_EH_PE_*). `section` holds the reader's bytes; NULL: the number as it is, as a
 * size is written. Sets `failed` for a format that x86-64 has no use for.
 */
u64 cfi_read_pointer(struct cfi_reader *reader, u8 encoding, const struct cfi_section *section);
