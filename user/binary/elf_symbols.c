/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The symbol tables are read on demand and not kept. */
#include "binary/elf_symbols.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf_internal.h"

#define SECTION_BYTES_MAX ((u64)512 << 20) /* of a symbol or string table; the largest browsers stay below */

/* Where symbols are read from, and to whom they are shown. */
struct symbol_walk {
	const struct elf *elf;	 /* whose code they name */
	const struct elf *debug; /* where they stand: mostly the same */
	Elf *handle;		 /* of debug */
	int (*each)(const struct elf_symbol *symbol, void *arg);
	void *arg;
};

static int show_symbol(const struct symbol_walk *walk, const GElf_Sym *entry, const char *name)
{
	struct elf_symbol symbol = {.name = name};
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

static int check_table(const struct symbol_walk *walk, const GElf_Shdr *header)
{
	if (!elf_holds(header->sh_offset, header->sh_size, walk->debug->file_size))
		return -EBADMSG;
	return header->sh_size <= SECTION_BYTES_MAX ? 0 : -EFBIG;
}

static int walk_table(const struct symbol_walk *walk, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Scn *string_section = elf_getscn(walk->handle, header->sh_link);
	GElf_Shdr string_header;
	Elf_Data *data;
	int err;

	if (!string_section || !gelf_getshdr(string_section, &string_header) || string_header.sh_type != SHT_STRTAB)
		return -EBADMSG;
	err = check_table(walk, header);
	if (!err)
		err = check_table(walk, &string_header);
	if (err)
		return err;
	data = elf_getdata(section, NULL);
	if (!data)
		return -EBADMSG;

	for (int i = 1;; i++) {
		const char *name;
		GElf_Sym symbol;

		/* It also ends there when the table holds more than INT_MAX symbols, which SECTION_BYTES_MAX rules out.
		 */
		if (!gelf_getsym(data, i, &symbol))
			return 0;
		if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF)
			continue;
		name = elf_strptr(walk->handle, header->sh_link, symbol.st_name);
		if (!name)
			return -EBADMSG;
		err = show_symbol(walk, &symbol, name);
		if (err)
			return err;
	}
}

static int walk_tables_of_type(const struct symbol_walk *walk, unsigned int type)
{
	Elf_Scn *section = NULL;
	int err = 0;

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
static int check_sections(Elf *handle)
{
	GElf_Ehdr header;
	size_t count;

	if (!gelf_getehdr(handle, &header) || elf_getshdrnum(handle, &count) != 0)
		return -EBADMSG;
	return header.e_shoff != 0 && count == 0 ? -EBADMSG : 0;
}

int elf_for_each_function_of(struct elf *elf, const struct elf *debug,
			     int (*each)(const struct elf_symbol *symbol, void *arg), void *arg)
{
	struct symbol_walk walk = {.elf = elf, .debug = debug, .each = each, .arg = arg};
	int err;

	walk.handle = elffile_handle(debug);
	if (!walk.handle)
		return -EBADMSG;
	err = check_sections(walk.handle);
	if (!err)
		err = walk_tables_of_type(&walk, SHT_DYNSYM);
	if (!err)
		err = walk_tables_of_type(&walk, SHT_SYMTAB);
	elf_end(walk.handle);
	return err;
}

int elf_for_each_function(struct elf *elf, int (*each)(const struct elf_symbol *symbol, void *arg), void *arg)
{
	return elf_for_each_function_of(elf, elf, each, arg);
}
