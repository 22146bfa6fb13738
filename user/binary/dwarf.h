/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The DWARF inside one ELF file: which functions, inlined ones included, and which source line an address belongs to.
 */
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
 * Read the DWARF of `file`, which is not needed any more afterwards. Opens no other file: units whose body lies
 * elsewhere (split DWARF) know lines only, and what a file shares with another one (dwz -m) is unknown. 0; -ENODATA:
 * nothing usable; -EFBIG: more than fits; -ENOMEM.
 */
int dwarf_reader_open(const struct elf *file, struct dwarf_reader **ret_debuginfo);
void dwarf_reader_free(struct dwarf_reader *debuginfo);

/* What stands at `vaddr`. 0 (count or file is set), -ENOENT, or -ENOMEM. */
int dwarf_reader_find(struct dwarf_reader *debuginfo, u64 vaddr, struct dwarf_place *ret_place);
