/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The function symbols of one ELF file, sorted for looking up by file offset.
 */
#include "include/types.h"

struct elf;
struct symbol_table;

/*
 * Read .symtab and .dynsym, and those of `debug`, which knows more of the same code (NULL: none). A corrupt table
 * yields what was read before the fault. 0 or -ENOMEM.
 */
int symbol_table_new(struct elf *elf, const struct elf *debug, struct symbol_table **ret_symtab);
void symbol_table_free(struct symbol_table *symtab);

/*
 * The function at file offset `offset`: its name (valid until symbol_table_free) and first byte; NULL when the nearest symbol
 * ends before it. A symbol without a size reaches to the next one.
 */
const char *symbol_table_find(const struct symbol_table *symtab, u64 offset, u64 *ret_start);
