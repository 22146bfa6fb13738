/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The section headers of a file that is to have a section .debug_frame more, by which debuggers find it. They go to the end of
 * the file, with a table of names of their own; the file's other sections keep their rows.
 */
#include <elf.h>
#include <stddef.h>

#include "include/types.h"

struct elf;

/* What is put to the end of the file, at an offset that is a multiple of 8. */
struct section_addition {
	u8 *bytes; /* NULL: nothing is */
	u64 size;
};

/*
 * For a file with that header, which is changed to lead there, and contents of the section. Nothing is added to a file that has no
 * section headers, or has a section of that name. 0; -EBADMSG: the headers cannot be; -ENOMEM or an error of reading. The caller frees
 * the bytes.
 */
int section_headers_add(const struct elf *elf, Elf64_Ehdr *file, const u8 *contents, u64 size, u64 offset,
			struct section_addition *ret_addition);
