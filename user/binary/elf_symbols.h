/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Functions by name, from the symbol tables of a file or of its separate debug file. */
#include <stdbool.h>

#include "binary/elf.h"

struct elf_symbol {
	const char *name; /* version suffix cut */
	u64 offset;	  /* file offset of the function's first byte */
	u64 size;	  /* 0 when the symbol has none */
	bool weak;
	bool exported; /* from .dynsym */
};

/*
 * Call `each` for every function (STT_FUNC) the file *defines*, .dynsym first, then .symtab, until it returns non-zero;
 * returns that value, 0 at the end, negative errno when corrupt; -EFBIG: walking on would take seconds. A file without section
 * headers has only those that it exports.
 */
int elf_for_each_function(struct elf *elf, int (*each)(const struct elf_symbol *symbol, void *arg), void *arg);

/* Where the variable of that name is, by .symtab. 0, -ENOENT: it has none, or what elf_for_each_function returns. */
int elf_find_variable(struct elf *elf, const char *name, u64 *ret_vaddr);

/* The functions, sorted for looking up by file offset. */
struct symbol_table;

/*
 * Read .symtab and .dynsym, and those of `debug`, which knows more of the same code (NULL: none). A corrupt table
 * yields what was read before the fault. 0 or -ENOMEM.
 */
int symbol_table_new(struct elf *elf, const struct elf *debug, struct symbol_table **ret_symtab);
void symbol_table_free(struct symbol_table *symtab);

/* How much memory it takes. Of NULL: 0. */
size_t symbol_table_bytes(const struct symbol_table *symtab);

/*
 * The function at file offset `offset`: its name (valid until symbol_table_free) and first byte; NULL when the nearest symbol
 * ends before it. A symbol without a size reaches to the next one.
 */
const char *symbol_table_find(const struct symbol_table *symtab, u64 offset, u64 *ret_start);

/* How many functions the linker made one there, see folded.h; 1: one, or none begins there. -ENOMEM. */
int symbol_table_folded(struct symbol_table *symtab, u64 offset);

/* The size of the function that begins there; 0: none does, or its symbol has none. */
u64 symbol_table_size(const struct symbol_table *symtab, u64 offset);
