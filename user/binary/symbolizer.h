/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Names for code addresses: libdw's line and inline information where there is DWARF, in the file itself or in its
 * separate debug file, else .symtab, .gnu_debugdata, .dynsym; demangled by libiberty. Answers are cached per build id,
 * or per file where there is none. The file itself is never opened by name: struct elf holds a descriptor.
 */
#include <stddef.h>

#include "include/types.h"

struct elf;
struct mapping;
struct root_fs;
struct symbolizer;

struct symbol_line {
	const char *function;	 /* demangled */
	const char *system_name; /* as in the symbol table (mangled); same pointer when equal */
	const char *file;	 /* NULL: unknown */
	u32 line;		 /* 0: unknown */
	u32 start_line;		 /* line of the function's declaration, 0: unknown */
};

struct symbol_frame {
	unsigned int line_count;	 /* 0: nothing known; else innermost inlined function first */
	const struct symbol_line *lines; /* owned by the symbolizer, valid until its file is forgotten */
	u64 function_offset;		 /* ip minus the entry of the physical function */
};

struct symbolizer *symbolizer_new(void); /* NULL: no memory */
void symbolizer_free(struct symbolizer *symbolizer);

/*
 * What files say takes memory, up to a gigabyte for one. Give back that of files in which no new address was asked for since the
 * last call; and of all, if what is left takes more than `bytes_max`: it is read again for the next new address. Answers
 * remain. Was there any?
 */
#define SYMBOLS_BYTES_MAX   (64UL << 20)
#define SYMBOLS_BYTES_SMALL (4UL << 20) /* where memory is short: names are then found again for each profile */
bool symbolizer_trim(struct symbolizer *symbolizer, size_t bytes_max);

/* The file is about to be closed: what was said of it goes, and its separate debug file. */
void symbolizer_forget(struct symbolizer *symbolizer, const struct elf *elf);

/*
 * Where to look for separate debug files before heaptap's own file system: below `root`, which must outlive all that
 * follows until the next call. NULL: nowhere. A file keeps what was found for it first.
 */
void symbolizer_set_root(struct symbolizer *symbolizer, const struct root_fs *root);

/* The which-th reason, from 0, why names are missing that could be had, as a clause for the user; NULL: no more. */
const char *symbolizer_complaint(struct symbolizer *symbolizer, unsigned int which);

/*
 * What stands at file offset `offset` of `elf`, which must outlive the symbolizer, or be forgotten. For a return address pass the
 * address minus one. 0 (line_count may be 0), or -ENOMEM. Everything wrong with the file counts as "nothing known".
 */
int symbolizer_resolve(struct symbolizer *symbolizer, struct elf *elf, u64 offset, struct symbol_frame *ret_frame);

/*
 * A number for the caller's own use, kept with the answer that was given last for that place; 0 until it is set. NULL: none was
 * given.
 */
u32 *symbolizer_note(const struct symbolizer *symbolizer, const struct elf *elf, u64 offset);
