/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The DWARF inside one ELF file: which functions, inlined ones included, and which source line an address belongs to.
 */
#include <stdbool.h>
#include <stddef.h>

#include "include/types.h"

struct elf;

#define INLINE_DEPTH_MAX 64 /* inlined levels told apart at one address; deeper ones count as their caller's */

struct dwarf_reader;

/* One function of the chain. Strings live as long as the struct dwarf_reader. */
struct dwarf_function {
	const char *linkage_name; /* NULL when it has none (C) */
	const char *name;	  /* NULL when it has none */
	const char *file;	  /* where control stands in this function; NULL: unknown */
	u32 line;		  /* 0: unknown */
	u32 start_line;		  /* of the declaration; 0: unknown */
};

struct dwarf_place {
	unsigned int count; /* innermost inlined first, the physical function last; 0: no function known there */
	u64 entry;	    /* first address of the piece of the physical function that holds the address */
	struct dwarf_function function[INLINE_DEPTH_MAX + 1];
	const char *file; /* of the line table, also known when count is 0 */
	u32 line;
};

/*
 * Read the DWARF of `file`, which is not needed any more afterwards. Opens no other file: units whose body lies elsewhere (split
 * DWARF) know lines only until that is added, and what a file shares with another one (dwz -m) is unknown until then. 0; -ENODATA:
 * nothing usable; -ENOTSUP: packed in a way that libelf does not know; -EFBIG: more than fits; -ENOMEM.
 */
int dwarf_reader_open(const struct elf *file, struct dwarf_reader **ret_debuginfo);

/* Add the file that has what several share. The same errors: then all is as before. */
int dwarf_reader_add_alternate(struct dwarf_reader *debuginfo, const struct elf *alternate);

/*
 * Does the body of the unit at `vaddr` lie in a file of its own, which has not been asked for yet? Asks once. *ret_name NULL: its
 * name is unknown; *ret_directory, what a relative one starts from, may be NULL as well.
 */
bool dwarf_reader_asks_split(struct dwarf_reader *debuginfo, u64 vaddr, const char **ret_directory,
			     const char **ret_name);

/* Add that file. 0; -ENOENT: it has another body; or the errors of dwarf_reader_open. */
int dwarf_reader_add_split(struct dwarf_reader *debuginfo, u64 vaddr, const struct elf *file);

void dwarf_reader_free(struct dwarf_reader *debuginfo);

/* How much memory it takes, but for what libdw keeps of its own. Of NULL: 0. */
size_t dwarf_reader_bytes(const struct dwarf_reader *debuginfo);

/* What stands at `vaddr`. 0 (count or file is set), -ENOENT, or -ENOMEM. */
int dwarf_reader_find(struct dwarf_reader *debuginfo, u64 vaddr, struct dwarf_place *ret_place);
