/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The sorted table by which C++'s unwinder finds the call frame information of an address (.eh_frame_hdr, of which a file has
 * one; Linux Standard Base 5.0, Core, 10.6.2): read from a file, added to, and written for another place.
 */
#include <stddef.h>

#include "include/types.h"

struct frame_header_row {
	u64 function, entry; /* virtual addresses: of code, and of what describes it */
};

struct frame_header {
	u64 eh_frame; /* virtual address of the file's .eh_frame */
	struct frame_header_row *rows;
	u32 count;
};

/*
 * Read the `size` bytes that lie at virtual address `address`. 0; -EOPNOTSUPP: no table, or encoded otherwise than linkers do it;
 * -EBADMSG: it is longer than that; -ENOMEM. Release in any case.
 */
int frame_header_read(const u8 *bytes, size_t size, u64 address, struct frame_header *ret_header);
void frame_header_release(struct frame_header *header);

/*
 * Add what an .eh_frame at `address` describes, which ends with its bytes or at an empty entry. 0; -EOPNOTSUPP: the addresses in it are
 * not pc-relative ones of four bytes; -EBADMSG: it is cut off; -ENOMEM.
 */
int frame_header_add(struct frame_header *header, const u8 *eh_frame, size_t size, u64 address);

/* Bytes that it takes, and those that so many more functions take. */
size_t frame_header_size(const struct frame_header *header);
size_t frame_header_rows_size(size_t count);

/* Write it for `address`. 0; -ERANGE: it would lie more than 2 GiB from what it describes. */
int frame_header_write(const struct frame_header *header, u64 address, u8 *ret_bytes);
