/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk over a file's symbols keeps nothing. A struct symbol_table is the sorted copy of one: it owns the names, in
 * one block. If an address has several names, the one that a person would write comes first: __libc_malloc, malloc and
 * __malloc are the same code.
 */
#include "binary/elf_symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "binary/elf_dynamic.h"
#include "binary/elf_internal.h"
#include "binary/folded.h"

#define SECTION_BYTES_MAX ((u64)512 << 20) /* of a symbol or string table; the largest browsers stay below */
#define NAMES_BYTES_MAX	  ((u64)1 << 30)   /* that are kept: names that share bytes in the file do not here */

/* Where symbols are read from, and to whom they are shown. */
struct symbol_walk {
	const struct elf *elf;	 /* whose code they name */
	const struct elf *debug; /* where they stand: mostly the same */
	Elf *handle;		 /* of debug */
	int (*show)(struct symbol_walk *walk, const GElf_Sym *entry, const char *name);
	unsigned char type; /* STT_FUNC or STT_OBJECT */
	int (*each)(const struct elf_symbol *symbol, void *arg);
	void *arg;
	u64 left;      /* to be spent */
	bool exported; /* the table that is being read is .dynsym */
};

static int show_function(struct symbol_walk *walk, const GElf_Sym *entry, const char *name)
{
	struct elf_symbol symbol = {
		.name = name, .weak = GELF_ST_BIND(entry->st_info) == STB_WEAK, .exported = walk->exported};
	const char *version = strchr(name, '@');
	char *cut = NULL;
	u64 left;
	int err;

	if (elf_find_vaddr(walk->elf, entry->st_value, &symbol.offset, &left) != 0)
		return 0;
	symbol.size = entry->st_size < left ? entry->st_size : left;
	if (version) {
		cut = strndup(name, (size_t)(version - name));
		if (!cut)
			return -ENOMEM;
		symbol.name = cut;
	}
	err = walk->each(&symbol, walk->arg);
	free(cut);
	return err;
}

static int open_table(struct symbol_walk *walk, Elf_Scn *section, const GElf_Shdr *header, Elf_Data **ret_data)
{
	if (!elf_holds(header->sh_offset, header->sh_size, walk->debug->file_size))
		return -EBADMSG;
	if (header->sh_size > SECTION_BYTES_MAX || !elf_spend(&walk->left, header->sh_size))
		return -EFBIG;
	*ret_data = elf_getdata(section, NULL);
	return *ret_data ? 0 : -EBADMSG;
}

static int open_names(struct symbol_walk *walk, size_t number, Elf_Data **ret_names)
{
	Elf_Scn *section = elf_getscn(walk->handle, number);
	GElf_Shdr header;

	if (!section || !gelf_getshdr(section, &header) || header.sh_type != SHT_STRTAB)
		return -EBADMSG;
	return open_table(walk, section, &header, ret_names);
}

/*
 * The name, whose bytes are paid for before they are looked at again. elf_strptr would look for the table's last NUL each time,
 * which may stand far from its end.
 */
static int find_name(struct symbol_walk *walk, const Elf_Data *names, u64 offset, const char **ret_name)
{
	u64 most = offset < names->d_size ? names->d_size - offset : 0, length;

	if (most > walk->left)
		most = walk->left;
	length = most ? strnlen((const char *)names->d_buf + offset, most) : 0;
	if (length == most && most < walk->left)
		return -EBADMSG;
	*ret_name = (const char *)names->d_buf + offset;
	return elf_spend(&walk->left, length + WALK_SYMBOL_BYTES) ? 0 : -EFBIG;
}

static int walk_table(struct symbol_walk *walk, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data, *names;
	int err = open_names(walk, header->sh_link, &names);

	if (!err)
		err = open_table(walk, section, header, &data);
	if (err)
		return err;

	for (int i = 1;; i++) {
		const char *name;
		GElf_Sym symbol;

		/* It also ends there when the table holds more than INT_MAX symbols, which SECTION_BYTES_MAX rules out.
		 */
		if (!gelf_getsym(data, i, &symbol))
			return 0;
		if (GELF_ST_TYPE(symbol.st_info) != walk->type || symbol.st_shndx == SHN_UNDEF)
			continue;
		err = find_name(walk, names, symbol.st_name, &name);
		if (!err)
			err = walk->show(walk, &symbol, name);
		if (err)
			return err;
	}
}

static int walk_tables_of_type(struct symbol_walk *walk, unsigned int type)
{
	Elf_Scn *section = NULL;
	int err = 0;

	walk->exported = type == SHT_DYNSYM;
	while (err == 0 && (section = elf_nextscn(walk->handle, section))) {
		GElf_Shdr header;

		if (!gelf_getshdr(section, &header))
			return -EBADMSG;
		if (header.sh_type == type)
			err = walk_table(walk, section, &header);
	}
	return err;
}

/* libelf shows a section table outside the file as none at all. */
static int check_sections(Elf *handle, size_t *ret_count)
{
	GElf_Ehdr header;

	*ret_count = 0;
	if (!gelf_getehdr(handle, &header) || elf_getshdrnum(handle, ret_count) != 0)
		return -EBADMSG;
	return header.e_shoff != 0 && *ret_count == 0 ? -EBADMSG : 0;
}

/* A loaded file needs no section headers: what it exports is in its dynamic segment all the same. */
static int walk_dynamic(const struct symbol_walk *walk, int err)
{
	struct elf_dynamic *dynamic;

	if (walk->elf != walk->debug || elf_dynamic_open(walk->elf, &dynamic))
		return err;
	err = elf_dynamic_for_each_function(dynamic, walk->each, walk->arg);
	elf_dynamic_free(dynamic);
	return err;
}

static int walk_functions(const struct elf *elf, const struct elf *debug,
			  int (*each)(const struct elf_symbol *symbol, void *arg), void *arg)
{
	struct symbol_walk walk = {.elf = elf,
				   .debug = debug,
				   .show = show_function,
				   .type = STT_FUNC,
				   .each = each,
				   .arg = arg,
				   .left = WALK_BYTES_MAX};
	size_t sections;
	int err;

	walk.handle = elffile_handle(debug);
	if (!walk.handle)
		return -EBADMSG;
	err = check_sections(walk.handle, &sections);
	if (!err)
		err = walk_tables_of_type(&walk, SHT_DYNSYM);
	if (!err)
		err = walk_tables_of_type(&walk, SHT_SYMTAB);
	elf_end(walk.handle);
	return sections ? err : walk_dynamic(&walk, err);
}

int elf_for_each_function(struct elf *elf, int (*each)(const struct elf_symbol *symbol, void *arg), void *arg)
{
	return walk_functions(elf, elf, each, arg);
}

struct variable {
	const char *name;
	u64 vaddr;
};

static int show_variable(struct symbol_walk *walk, const GElf_Sym *entry, const char *name)
{
	struct variable *variable = walk->arg;

	if (strcmp(name, variable->name) != 0)
		return 0;
	variable->vaddr = entry->st_value;
	return 1;
}

int elf_find_variable(struct elf *elf, const char *name, u64 *ret_vaddr)
{
	struct variable variable = {.name = name};
	struct symbol_walk walk = {.elf = elf,
				   .debug = elf,
				   .show = show_variable,
				   .type = STT_OBJECT,
				   .arg = &variable,
				   .left = WALK_BYTES_MAX};
	size_t sections;
	int err;

	walk.handle = elffile_handle(elf);
	if (!walk.handle)
		return -EBADMSG;
	err = check_sections(walk.handle, &sections);
	if (!err)
		err = walk_tables_of_type(&walk, SHT_SYMTAB);
	elf_end(walk.handle);
	*ret_vaddr = variable.vaddr;
	return err > 0 ? 0 : err ?: -ENOENT;
}

/* --- the table --- */

struct symbol {
	u64 start, size;
	u32 name;	 /* offset in names */
	u32 before;	 /* others at the same address that stand before it */
	u32 after;	 /* and behind it */
	u32 folded : 30; /* of the first: see folded.h; 0: not counted yet */
	u32 weak : 1, exported : 1;
};

struct symbol_table {
	struct symbol *symbols; /* sorted: of those at one address the best name first */
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
	if (name > NAMES_BYTES_MAX)
		return -EFBIG;
	if (array_grow(&symtab->symbols, symtab->count, 1) || append_name(symtab, symbol->name))
		return -ENOMEM;
	symtab->symbols[symtab->count++] = (struct symbol){.start = symbol->offset,
							   .size = symbol->size,
							   .name = (u32)name,
							   .weak = symbol->weak,
							   .exported = symbol->exported};
	return 0;
}

/* By address; at one address the best name first: one with a size, with fewer underscores in front, then the shorter.
 */
static int compare(const void *a, const void *b, void *names)
{
	const struct symbol *x = a, *y = b;
	const char *left = (char *)names + x->name, *right = (char *)names + y->name;
	size_t left_dashes, right_dashes;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (!x->size != !y->size)
		return x->size ? -1 : 1;
	left_dashes = strspn(left, "_");
	right_dashes = strspn(right, "_");
	if (left_dashes != right_dashes)
		return left_dashes < right_dashes ? -1 : 1;
	if (strlen(left) != strlen(right))
		return strlen(left) < strlen(right) ? -1 : 1;
	return strcmp(left, right);
}

static void count_neighbours(struct symbol_table *symtab)
{
	for (size_t i = 1; i < symtab->count; i++)
		if (symtab->symbols[i].start == symtab->symbols[i - 1].start)
			symtab->symbols[i].before = symtab->symbols[i - 1].before + 1;
	for (size_t i = symtab->count; i-- > 1;)
		if (symtab->symbols[i].before)
			symtab->symbols[i - 1].after = symtab->symbols[i].after + 1;
}

int symbol_table_new(struct elf *elf, const struct elf *debug, struct symbol_table **ret_symtab)
{
	struct symbol_table *symtab = calloc(1, sizeof(*symtab));
	int err;

	if (!symtab)
		return -ENOMEM;
	err = elf_for_each_function(elf, append, symtab);
	if (err != -ENOMEM && debug)
		err = walk_functions(elf, debug, append, symtab);
	if (err == -ENOMEM) {
		symbol_table_free(symtab);
		return -ENOMEM;
	}
	if (symtab->count)
		qsort_r(symtab->symbols, symtab->count, sizeof(*symtab->symbols), compare, symtab->names);
	count_neighbours(symtab);
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

size_t symbol_table_bytes(const struct symbol_table *symtab)
{
	return symtab ? symtab->count * sizeof(*symtab->symbols) + symtab->names_size : 0;
}

/* The first one at the last address up to `offset`; NULL: none. */
static struct symbol *find_symbol(const struct symbol_table *symtab, u64 offset)
{
	u64 begun = array_count_upto(symtab->symbols, symtab->count, offset);
	struct symbol *last = begun ? &symtab->symbols[begun - 1] : NULL;

	return last ? last - last->before : NULL;
}

const char *symbol_table_find(const struct symbol_table *symtab, u64 offset, u64 *ret_start)
{
	const struct symbol *symbol = find_symbol(symtab, offset);

	if (!symbol || (symbol->size && offset - symbol->start >= symbol->size))
		return NULL;
	*ret_start = symbol->start;
	return symtab->names + symbol->name;
}

u64 symbol_table_size(const struct symbol_table *symtab, u64 offset)
{
	const struct symbol *symbol = find_symbol(symtab, offset);

	return symbol && symbol->start == offset ? symbol->size : 0;
}

int symbol_table_folded(struct symbol_table *symtab, u64 offset)
{
	struct symbol *symbol = find_symbol(symtab, offset);
	struct folded_name *names;
	u32 count;
	int folded;

	if (!symbol || symbol->start != offset || !symbol->after)
		return 1;
	if (symbol->folded)
		return symbol->folded;
	count = symbol->after < FOLDED_MAX ? symbol->after + 1 : FOLDED_MAX;
	names = calloc(count, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (u32 i = 0; i < count; i++)
		names[i] = (struct folded_name){symtab->names + symbol[i].name, symbol[i].weak, symbol[i].exported};
	folded = folded_count(names, count);
	free(names);
	if (folded > 0)
		symbol->folded = folded;
	return folded;
}
