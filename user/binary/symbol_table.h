/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYMTAB_H
#define SYMTAB_H
/*
 * The function symbols of one ELF file, sorted for looking up by file offset. Used by symbol.c where there is no DWARF.
 */
#include "include/types.h"

struct elf;
struct symtab;

/*
 * Read .symtab and .dynsym, and those of `debug`, which knows more of the same code (NULL: none). A corrupt table
 * yields what was read before the fault. 0 or -ENOMEM.
 */
int symtab_new(struct elf *elf, const struct elf *debug, struct symtab **ret_symtab);
void symtab_free(struct symtab *symtab);

/*
 * The function at file offset `offset`: its name (valid until symtab_free) and first byte; NULL when the nearest symbol
 * ends before it. A symbol without a size reaches to the next one.
 */
const char *symtab_find(const struct symtab *symtab, u64 offset, u64 *ret_start);

#endif
