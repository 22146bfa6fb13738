/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * .debug_frame, the call frame information that debuggers read (DWARF 5, 6.4.1), of what an .eh_frame describes: a file has one
 * .eh_frame only, at its place, but may be given this.
 */
#include <stddef.h>

#include "include/types.h"

struct debug_frame {
	u8 *bytes;
	u64 size;
};

/*
 * Add what an .eh_frame for `address` says, which ends with its bytes, and whose addresses are pc-relative ones of four bytes. 0;
 * -EBADMSG: it is another one; -ENOMEM. Release in any case.
 */
int debug_frame_add(struct debug_frame *frame, const u8 *eh_frame, size_t size, u64 address);
void debug_frame_release(struct debug_frame *frame);
