/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorted function symbols of one file. Owns copies of the names, in one block. Of several names for one address the one
 * a person would write wins: __libc_malloc, malloc and __malloc are the same code.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "binary/elf.h"
#include "binary/elf_symbols.h"
#include "binary/symbol_table.h"

struct symbol {
	u64 start, size;
	size_t name; /* offset in names */
};

struct symbol_table {
	struct symbol *symbols;
	size_t count;
	char *names;
	size_t names_size;
};

static int append_name(struct symbol_table *symtab, const char *name)
{
	size_t size = strlen(name) + 1;

	if (array_grow(&symtab->names, symtab->names_size, size))
		return -ENOMEM;
	memcpy(symtab->names + symtab->names_size, name, size);
	symtab->names_size += size;
	return 0;
}

static int append(const struct elf_symbol *symbol, void *arg)
{
	struct symbol_table *symtab = arg;
	size_t name = symtab->names_size;

	if (!symbol->name || !*symbol->name)
		return 0;
	if (array_grow(&symtab->symbols, symtab->count, 1) || append_name(symtab, symbol->name))
		return -ENOMEM;
	symtab->symbols[symtab->count++] = (struct symbol){.start = symbol->offset, .size = symbol->size, .name = name};
	return 0;
}

/* By address; at one address the best name first: one with a size, with fewer underscores in front, then the shorter.
 */
static int compare(const void *a, const void *b, void *names)
{
	const struct symbol *x = a, *y = b;
	const char *left = (char *)names + x->name, *right = (char *)names + y->name;
	size_t left_dashes = strspn(left, "_"), right_dashes = strspn(right, "_");

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (!x->size != !y->size)
		return x->size ? -1 : 1;
	if (left_dashes != right_dashes)
		return left_dashes < right_dashes ? -1 : 1;
	if (strlen(left) != strlen(right))
		return strlen(left) < strlen(right) ? -1 : 1;
	return strcmp(left, right);
}

static void drop_aliases(struct symbol_table *symtab)
{
	size_t kept = 0;

	for (size_t i = 0; i < symtab->count; i++)
		if (!kept || symtab->symbols[kept - 1].start != symtab->symbols[i].start)
			symtab->symbols[kept++] = symtab->symbols[i];
	symtab->count = kept;
}

int symbol_table_new(struct elf *elf, const struct elf *debug, struct symbol_table **ret_symtab)
{
	struct symbol_table *symtab = calloc(1, sizeof(*symtab));
	int err;

	if (!symtab)
		return -ENOMEM;
	err = elf_for_each_function(elf, append, symtab);
	if (err != -ENOMEM && debug)
		err = elf_for_each_function_of(elf, debug, append, symtab);
	if (err == -ENOMEM) {
		symbol_table_free(symtab);
		return -ENOMEM;
	}
	if (symtab->count)
		qsort_r(symtab->symbols, symtab->count, sizeof(*symtab->symbols), compare, symtab->names);
	drop_aliases(symtab);
	*ret_symtab = symtab;
	return 0;
}

void symbol_table_free(struct symbol_table *symtab)
{
	if (!symtab)
		return;
	free(symtab->symbols);
	free(symtab->names);
	free(symtab);
}

const char *symbol_table_find(const struct symbol_table *symtab, u64 offset, u64 *ret_start)
{
	u64 begun = array_count_upto(symtab->symbols, symtab->count, offset);
	const struct symbol *symbol;

	if (!begun)
		return NULL;
	symbol = &symtab->symbols[begun - 1];
	if (symbol->size && offset - symbol->start >= symbol->size)
		return NULL;
	*ret_start = symbol->start;
	return symtab->names + symbol->name;
}
