/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the dynamic loader reads of a file: its dynamic segment, which is there without section headers too. Its symbols,
 * its own name, and which name it writes into which slot. Read whole when it is opened, each offset checked.
 */
#include <elf.h>

#include "binary/elf_symbols.h"

struct elf_dynamic;

/* 0; -ENOENT: the file has no dynamic segment; -EBADMSG, -EFBIG: hostile; -ENOMEM or an error of reading. */
int elf_dynamic_open(const struct elf *elf, struct elf_dynamic **ret_dynamic);
void elf_dynamic_free(struct elf_dynamic *dynamic);

const char *elf_dynamic_soname(const struct elf_dynamic *dynamic); /* NULL: none */

/* Does it use a symbol of that name which another file defines? */
bool elf_dynamic_imports(const struct elf_dynamic *dynamic, const char *name);

/* As elf_for_each_function, for the functions that it exports. */
int elf_dynamic_for_each_function(const struct elf_dynamic *dynamic,
				  int (*each)(const struct elf_symbol *symbol, void *arg), void *arg);

/*
 * The function whose address the loader writes into the slot at that virtual address: its name, and where this file has
 * it (0: another file has). 0, or -ENOENT: none.
 */
int elf_dynamic_slot(const struct elf_dynamic *dynamic, u64 vaddr, const char **ret_name, u64 *ret_vaddr);

/* What the loader writes into the file's memory; `relocations` for the caller to free, NULL where there are none. */
struct elf_addresses {
	Elf64_Rela *relocations;
	u64 count;
};

/* 0 or an error of reading. Then there is nothing to be freed. */
int elf_dynamic_addresses(const struct elf_dynamic *dynamic, struct elf_addresses *ret_addresses);

/* Write of them, into the `count` words from the virtual address `vaddr` on, addresses in this file (R_X86_64_RELATIVE), as they are there. */
void elf_addresses_place(const struct elf_addresses *addresses, u64 vaddr, u64 *words, u64 count);

/* Is the file offset in the table of names? */
bool elf_dynamic_is_name(const struct elf_dynamic *dynamic, u64 offset);
