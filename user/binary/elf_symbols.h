/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Functions by name, from the symbol tables of a file or of its separate debug file. */
#include "binary/elf.h"

struct elf_symbol {
	const char *name; /* version suffix cut */
	u64 offset;	  /* file offset of the function's first byte */
	u64 size;	  /* 0 when the symbol has none */
};

/*
 * Call `each` for every function (STT_FUNC) the file *defines*, .dynsym first, then .symtab, until it returns non-zero;
 * returns that value, 0 at the end, negative errno when corrupt.
 */
int elf_for_each_function(struct elf *elf, int (*each)(const struct elf_symbol *symbol, void *arg), void *arg);

/* The same with the symbols that `debug` has for the code of `elf`; offsets are those in `elf`. */
int elf_for_each_function_of(struct elf *elf, const struct elf *debug,
			     int (*each)(const struct elf_symbol *symbol, void *arg), void *arg);
