/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * All that is known of the code of one file: its DWARF, or that of its separate debug file, with what these share with others
 * (dwz -m), and its symbols. Read when needed, dropped on request.
 */
#include <stdbool.h>
#include <stddef.h>

#include "binary/dwarf.h"
#include "binary/elf_symbols.h"

struct debug_search;
struct elf;
struct name_gaps;

struct code_file {
	struct elf *elf;
	struct elf *debug;	      /* its separate debug file; NULL: none */
	struct elf *alternate;	      /* what the DWARF shares with others; NULL: nothing */
	struct dwarf_reader *dwarf;   /* NULL: none, or dropped */
	struct symbol_table *symbols; /* NULL: not read so far, or dropped */
	bool dropped;		      /* dwarf was */
	bool split_missing;	      /* and that is noted */
	struct debug_search *search;  /* borrowed, as gaps */
	struct name_gaps *gaps;
};

/* Find the DWARF of `elf`, which must outlive the rest, as `search` and `gaps` must. Fills a zeroed *file. 0 or -ENOMEM. To be released in any case. */
int code_file_open(struct code_file *file, struct elf *elf, struct debug_search *search, struct name_gaps *gaps);
void code_file_release(struct code_file *file);

/* What DWARF says of an address (place->count may be 0); file->symbols are read as well. 0 or -ENOMEM. */
int code_file_find(struct code_file *file, u64 vaddr, struct dwarf_place *ret_place);

/* How much memory it takes. */
size_t code_file_bytes(const struct code_file *file);

/* Give it back; the next address has it read again. Was there any? */
bool code_file_drop(struct code_file *file);
