/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The functions that call frame information describes. */
#include "unwind/cfi_program.h"
#include "unwind/cfi_sections.h"
#include "binary/elf.h"

struct cfi_entries {
	const struct elf *elf;
	struct cfi_common *commons;
	u32 common_count;
	u32 first_common;		/* of the section being read; from there on ascending by offset */
	struct cfi_function *functions; /* ascending by file offset, not overlapping */
	u32 function_count;
};

/*
 * Read those whose code the file holds; they point into `sections`. 0, -EFBIG or -ENOMEM; damaged entries are
 * skipped. Release in any case.
 */
int cfi_entries_read(const struct elf *elf, const struct cfi_section sections[CFI_SECTION_COUNT],
		     struct cfi_entries *ret_list);

void cfi_entries_release(struct cfi_entries *list);
