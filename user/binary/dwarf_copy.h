/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The debug sections of a file, copied into an ELF image in memory that is safe to hand to libdw.
 */
#include <stddef.h>

#include "include/types.h"

struct elf;
struct split_parts;

enum dwarf_copy_of {
	DWARF_OWN,	 /* units that describe code */
	DWARF_ALTERNATE, /* what several files share: perhaps strings alone */
	DWARF_SPLIT,	 /* the body of a split unit, in sections of names in .dwo */
};

/*
 * *ret_image is one allocation for the caller to free. 0; -ENODATA: no x86-64 file, no DWARF or none that can be read;
 * -ENOTSUP: it is packed in a way that libelf does not know; -EFBIG: over 1 GiB of it; -ENOMEM. `parts`: of a package of split units,
 * those of one; NULL: the sections are copied whole. A section of lists of ranges that are slow to read (range_lists.h) is left out.
 */
int dwarf_copy_read(const struct elf *file, enum dwarf_copy_of of, const struct split_parts *parts, u8 **ret_image,
		    size_t *ret_size);
