/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Allocators of which heaptap sees a part: the functions that have the standard names, if those, but not what the program asks of them in other
 * ways. They are recognised by what a stripped file keeps too: names that it exports, or a section.
 */
#include "binary/elf.h"

struct foreign_heap {
	const char *name;   /* "scudo" */
	const char *memory; /* a sentence: what is seen of it, and what shows the rest */
};

/* The allocator that defines a function of that name; NULL: none that is known. */
const struct foreign_heap *foreign_heap_of_symbol(const char *symbol);

/* The allocator of a file that has malloc, by its sections; NULL: none that is known. This reads the file's headers. */
const struct foreign_heap *foreign_heap_of_sections(const struct elf *elf);
