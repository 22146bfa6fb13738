/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/code_file.h"

#include <errno.h>

#include "binary/debug_file.h"
#include "binary/debug_search.h"
#include "binary/elf.h"
#include "binary/name_gaps.h"

/* All errors but want of memory leave less to be known. */
static int ignore_but_memory(int err)
{
	return err == -ENOMEM ? err : 0;
}

static const struct elf *described_by(const struct code_file *file)
{
	return file->debug ? file->debug : file->elf;
}

static int add_alternate(struct code_file *file)
{
	return file->alternate ? ignore_but_memory(dwarf_reader_add_alternate(file->dwarf, file->alternate)) : 0;
}

static int find_alternate(struct code_file *file)
{
	bool missing;
	int err = debug_search_alternate(file->search, described_by(file), &file->alternate, &missing);

	if (missing)
		name_gaps_add(file->gaps, GAP_ALTERNATE, elf_path(file->elf));
	return err ? err : add_alternate(file);
}

int code_file_open(struct code_file *file, struct elf *elf, struct debug_search *search, struct name_gaps *gaps)
{
	int err = dwarf_reader_open(elf, &file->dwarf);

	file->elf = elf;
	file->search = search;
	file->gaps = gaps;
	if (err == -ENODATA || err == -ENOTSUP) {
		int found = debug_search_find(search, elf, &file->debug);

		if (found)
			return found;
		if (file->debug)
			err = dwarf_reader_open(file->debug, &file->dwarf);
	}
	if (err == -ENOTSUP)
		name_gaps_add(gaps, GAP_PACKED, elf_path(elf));
	return err ? ignore_but_memory(err) : find_alternate(file);
}

void code_file_release(struct code_file *file)
{
	code_file_drop(file);
	elf_free(file->debug);
	elf_free(file->alternate);
}

/* The separate debug file has every symbol; .gnu_debugdata those that .dynsym lacks. */
static int read_symbols(struct code_file *file)
{
	struct elf *unpacked = NULL;
	int err = 0;

	if (!file->debug)
		err = debug_file_unpack(file->elf, &unpacked);
	if (err == -ENOMEM)
		return err;
	err = symbol_table_new(file->elf, file->debug ? file->debug : unpacked, &file->symbols);
	elf_free(unpacked);
	return err;
}

static int read_dwarf(struct code_file *file)
{
	int err = dwarf_reader_open(described_by(file), &file->dwarf);

	file->dropped = err == -ENOMEM;
	return err ? err : add_alternate(file);
}

/* 0; -ENOENT: there is no such file, or it has not the unit's body. Frees the file. */
static int add_split(struct code_file *file, u64 vaddr, struct elf *split)
{
	int err = split ? dwarf_reader_add_split(file->dwarf, vaddr, split) : -ENOENT;

	elf_free(split);
	return err;
}

/*
 * Inlined functions are in the body of a split unit, in a package or in a file of its own. Where that is not to be had, names and lines
 * are as without it. The package comes first, since it knows by the id what it has, and libdw tries one body only.
 */
static int find_split(struct code_file *file, u64 vaddr)
{
	const char *directory, *name;
	struct elf *split;
	int err;

	if (!dwarf_reader_asks_split(file->dwarf, vaddr, &directory, &name))
		return 0;
	err = debug_search_package(file->search, file->elf, &split);
	err = err ? err : add_split(file, vaddr, split);
	if (err && err != -ENOMEM && name) {
		err = debug_search_split(file->search, described_by(file), directory, name, &split);
		err = err ? err : add_split(file, vaddr, split);
	}
	if (err && !file->split_missing)
		name_gaps_add(file->gaps, GAP_SPLIT, elf_path(file->elf));
	file->split_missing |= err != 0;
	return ignore_but_memory(err);
}

int code_file_find(struct code_file *file, u64 vaddr, struct dwarf_place *ret_place)
{
	int err = file->symbols ? 0 : read_symbols(file);

	if (!err && file->dropped)
		err = read_dwarf(file);
	if (!err && file->dwarf)
		err = find_split(file, vaddr);
	if (!err && file->dwarf)
		err = dwarf_reader_find(file->dwarf, vaddr, ret_place);
	return ignore_but_memory(err);
}

size_t code_file_bytes(const struct code_file *file)
{
	return dwarf_reader_bytes(file->dwarf) + symbol_table_bytes(file->symbols);
}

bool code_file_drop(struct code_file *file)
{
	bool any = file->dwarf || file->symbols;

	file->dropped = file->dropped || file->dwarf;
	dwarf_reader_free(file->dwarf);
	symbol_table_free(file->symbols);
	file->dwarf = NULL;
	file->symbols = NULL;
	return any;
}
