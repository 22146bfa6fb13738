/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Numbers in call frame information. */
#include "include/types.h"
#include "unwind/cfi_sections.h"

/* Bytes still to be read. Reading beyond the end gives zeros and sets `failed`. */
struct cfi_reader {
	const u8 *at, *end;
	bool failed;
};

u64 cfi_read_number(struct cfi_reader *reader, unsigned int size);
u64 cfi_read_uleb(struct cfi_reader *reader);
s64 cfi_read_sleb(struct cfi_reader *reader);

/* A size and so many bytes, as expressions are written. Empty when they are not there. */
struct cfi_reader cfi_read_block(struct cfi_reader *reader);

/*
 * A pointer in the format `encoding` (DW_EH_PE_*). `section` holds the reader's bytes; NULL: the number as it is, as a
 * size is written. Sets `failed` for a format that x86-64 has no use for.
 */
u64 cfi_read_pointer(struct cfi_reader *reader, u8 encoding, const struct cfi_section *section);
