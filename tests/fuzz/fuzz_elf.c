/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: any bytes as a program, as the separate debug file of one, and as both at once: headers, symbols,
 * DWARF, .gnu_debuglink, .gnu_debugaltlink and .gnu_debugdata.
 */
#include <stdlib.h>

#include "binary/debug_file.h"
#include "binary/dwarf.h"
#include "binary/elf.h"
#include "system/root_fs.h"
#include "binary/symbolizer.h"
#include "binary/elf_symbols.h"
#include "input.h"

#define CODE_MAX 0x2000 /* names are looked up this far into the file */

static void resolve_all(struct elf *elf)
{
	struct symbolizer *symbolizer = symbolizer_new();
	struct symbol_frame frame;

	for (u64 offset = 0; offset < CODE_MAX; offset += 37)
		if (symbolizer_resolve(symbolizer, elf, offset, &frame) == 0)
			for (unsigned int i = 0; i < frame.line_count; i++)
				if (!frame.lines[i].function)
					abort();
	symbolizer_free(symbolizer);
}

/* DWARF that refers to another file's, which is the same one here. */
static void read_shared(const struct elf *elf)
{
	struct dwarf_reader *dwarf;
	struct dwarf_place place;

	if (dwarf_reader_open(elf, &dwarf) != 0)
		return;
	if (dwarf_reader_add_alternate(dwarf, elf) == 0)
		for (u64 vaddr = 0; vaddr < CODE_MAX; vaddr += 37)
			dwarf_reader_find(dwarf, vaddr, &place);
	dwarf_reader_free(dwarf);
}

static void read_as_debug(struct elf *elf, const u8 *data, size_t size)
{
	struct elf *debug, *unpacked;
	struct symbol_table *symtab;
	u64 start;

	if (elf_open_debug(input_file(data, size), "/nowhere/debug", &debug) != 0)
		return;
	if (symbol_table_new(elf, debug, &symtab) == 0) {
		for (u64 offset = 0; offset < CODE_MAX; offset += 37)
			if (symbol_table_find(symtab, offset, &start) && start > offset)
				abort();
		symbol_table_free(symtab);
	}
	if (debug_file_unpack(debug, &unpacked) == 0)
		elf_free(unpacked);
	elf_free(debug);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct elf *elf, *debug;
	struct root_fs own;

	if (elf_open(input_file(data, size), "/nowhere/input", &elf) != 0)
		return 0;
	root_fs_open_own(&own);
	if (debug_file_find(elf, &own, &debug) == 0)
		elf_free(debug);
	root_fs_close(&own);
	resolve_all(elf);
	read_shared(elf);
	read_as_debug(elf, data, size);
	elf_free(elf);
	return 0;
}
