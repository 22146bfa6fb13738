/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CFIFUNCTION_H
#define CFIFUNCTION_H
/* The functions that call frame information describes. Used by cfi.c alone. */
#include "unwind/cfiprogram.h"
#include "unwind/cfisection.h"
#include "binary/elf.h"

struct cfi_functions {
	const struct elf *elf;
	struct cfi_common *commons;
	u32 common_count, common_room;
	u32 first_common;		/* of the section being read; from there on ascending by offset */
	struct cfi_function *functions; /* ascending by file offset, not overlapping */
	u32 function_count, function_room;
};

/*
 * Read those whose code the file holds; they point into `sections`. 0, -EFBIG or -ENOMEM; damaged entries are passed
 * over. Release in any case.
 */
int cfi_functions_read(const struct elf *elf, const struct cfi_section sections[CFI_SECTION_COUNT],
		       struct cfi_functions *ret_list);

void cfi_functions_release(struct cfi_functions *list);

#endif
