/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DWARF of one file through libdw. Owns the image that libdw reads, its handles, and two kinds of spans:
 * addresses to units, made at opening from the unit headers, and addresses to functions, made per unit when an address
 * first falls into it; so the price follows what is asked and not the size of the file. .debug_aranges is not used:
 * clang leaves it out.
 *
 * The file is hostile: walks through entries have a budget that only a file with loops can exhaust.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>

#include "base/array.h"
#include "binary/dwarf_copy.h"
#include "binary/dwarf.h"

#define SCOPE_DEPTH_MAX	   64
#define ADDRESS_RANGES_MAX (1u << 24)

/* --- which id an address belongs to: added in any order, sorted once, then searched --- */

struct address_range {
	u64 low, high; /* exclusive */
	u64 id;
};

/* Valid when zeroed. */
struct address_ranges {
	struct address_range *spans;
	size_t count;
};

/* Empty ranges are left out, and those at address 0, where nothing is. 0, -EFBIG when there are ADDRESS_RANGES_MAX, or
 * -ENOMEM. */
static int address_ranges_add(struct address_ranges *table, u64 low, u64 high, u64 id)
{
	/* Linkers leave functions they threw away at address 0. */
	if (!low || low >= high)
		return 0;
	if (table->count >= ADDRESS_RANGES_MAX)
		return -EFBIG;
	if (array_grow(&table->spans, table->count, 1))
		return -ENOMEM;
	table->spans[table->count++] = (struct address_range){.low = low, .high = high, .id = id};
	return 0;
}

static int span_compare(const void *a, const void *b)
{
	const struct address_range *x = a, *y = b;

	if (x->low != y->low)
		return x->low < y->low ? -1 : 1;
	if (x->high != y->high)
		return x->high > y->high ? -1 : 1; /* the narrowest of those that start together is found first */
	return (x->id > y->id) - (x->id < y->id);
}

static void address_ranges_sort(struct address_ranges *table)
{
	if (table->count)
		qsort(table->spans, table->count, sizeof(*table->spans), span_compare);
}

/* The one that holds `vaddr`, the narrowest of those that begin together; NULL: none. */
static const struct address_range *address_ranges_find(const struct address_ranges *table, u64 vaddr)
{
	u64 begun = array_count_upto(table->spans, table->count, vaddr);

	return begun && vaddr < table->spans[begun - 1].high ? &table->spans[begun - 1] : NULL;
}

/* --- units --- */

struct unit {
	Dwarf_Off die;
	u64 size;   /* bytes: no honest unit has more entries than that */
	bool split; /* its functions are described in another file */
	bool indexed;
	struct address_ranges functions; /* ids: offsets of their entries */
};

struct dwarf_reader {
	u8 *image;
	Elf *elf;
	Dwarf *dwarf;
	struct unit *units;
	size_t unit_count;
	struct address_ranges spans; /* ids: indices of units */
	u64 spans_max;
};

/* Add all address ranges of an entry. *budget falls by one for each; a list that several entries share can be long. */
static int add_ranges(struct address_ranges *table, Dwarf_Die *die, u64 id, u64 *budget)
{
	Dwarf_Addr base, low, high;
	ptrdiff_t at = 0;
	int err = 0;

	while (!err && *budget && (at = dwarf_ranges(die, at, &base, &low, &high)) > 0) {
		--*budget;
		err = address_ranges_add(table, low, high, id);
	}
	return err;
}

static int add_unit(struct dwarf_reader *debuginfo, Dwarf_Die *die, u64 size, bool split)
{
	u64 budget = debuginfo->spans_max - debuginfo->spans.count;

	if (array_grow(&debuginfo->units, debuginfo->unit_count, 1))
		return -ENOMEM;
	debuginfo->units[debuginfo->unit_count] =
		(struct unit){.die = dwarf_dieoffset(die), .size = size, .split = split};
	return add_ranges(&debuginfo->spans, die, debuginfo->unit_count++, &budget);
}

static int read_units(struct dwarf_reader *debuginfo)
{
	Dwarf_Off offset = 0, next;
	size_t header;
	int err = 0;

	while (!err && !dwarf_next_unit(debuginfo->dwarf, offset, &next, &header, NULL, NULL, NULL, NULL, NULL, NULL)) {
		Dwarf_Die die;
		uint8_t type;

		if (dwarf_offdie(debuginfo->dwarf, offset + header, &die) &&
		    !dwarf_cu_info(die.cu, NULL, &type, NULL, NULL, NULL, NULL, NULL) && type != DW_UT_type)
			err = add_unit(debuginfo, &die, next - offset, type == DW_UT_skeleton);
		offset = next;
	}
	address_ranges_sort(&debuginfo->spans);
	return err;
}

/* A range has two bytes at least, but all units of a file that was made for it may share one long list of them. */
static u64 spans_max(size_t size)
{
	u64 max = (1u << 16) + size / 2;

	return max < ADDRESS_RANGES_MAX ? max : ADDRESS_RANGES_MAX;
}

int dwarf_reader_open(const struct elf *file, struct dwarf_reader **ret_debuginfo)
{
	struct dwarf_reader *debuginfo = calloc(1, sizeof(*debuginfo));
	size_t size;
	int err;

	if (!debuginfo)
		return -ENOMEM;
	err = dwarf_copy_read(file, &debuginfo->image, &size);
	if (err)
		goto out;
	debuginfo->spans_max = spans_max(size);
	debuginfo->elf = elf_memory((char *)debuginfo->image, size);
	debuginfo->dwarf = debuginfo->elf ? dwarf_begin_elf(debuginfo->elf, DWARF_C_READ, NULL) : NULL;
	err = debuginfo->dwarf ? read_units(debuginfo) : -ENODATA;
out:
	if (err)
		dwarf_reader_free(debuginfo);
	else
		*ret_debuginfo = debuginfo;
	return err;
}

void dwarf_reader_free(struct dwarf_reader *debuginfo)
{
	if (!debuginfo)
		return;
	for (size_t i = 0; i < debuginfo->unit_count; i++)
		free(debuginfo->units[i].functions.spans);
	free(debuginfo->units);
	free(debuginfo->spans.spans);
	dwarf_end(debuginfo->dwarf);
	elf_end(debuginfo->elf);
	free(debuginfo->image);
	free(debuginfo);
}

/* Functions with code below `parent`, those inside other functions excepted: enter_scope finds these on its way. */
static int index_functions(struct unit *unit, Dwarf_Die *parent, unsigned int depth, u64 *budget)
{
	Dwarf_Die die;
	int err = 0;

	if (depth > SCOPE_DEPTH_MAX || !*budget || dwarf_child(parent, &die))
		return 0;
	do {
		int tag = dwarf_tag(&die);

		--*budget;
		if (tag == DW_TAG_subprogram)
			err = add_ranges(&unit->functions, &die, dwarf_dieoffset(&die), budget);
		else if (tag == DW_TAG_namespace || tag == DW_TAG_module)
			err = index_functions(unit, &die, depth + 1, budget);
	} while (!err && *budget && !dwarf_siblingof(&die, &die));
	return err;
}

static bool is_scope(int tag)
{
	return tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block || tag == DW_TAG_subprogram ||
	       tag == DW_TAG_try_block || tag == DW_TAG_catch_block;
}

/* The scope directly inside *scope that holds vaddr: true and *scope moved there, or false. */
static bool enter_scope(Dwarf_Die *scope, u64 vaddr, u64 *budget)
{
	Dwarf_Die die;

	if (dwarf_child(scope, &die))
		return false;
	do {
		if (is_scope(dwarf_tag(&die)) && dwarf_haspc(&die, vaddr) > 0) {
			*scope = die;
			return true;
		}
	} while (--*budget && !dwarf_siblingof(&die, &die));
	return false;
}

/* The physical function at chain[0] and what is inlined below it, outermost first. */
static unsigned int find_chain(Dwarf_Die *function, u64 vaddr, u64 budget, Dwarf_Die chain[INLINE_DEPTH_MAX + 1])
{
	unsigned int count = 1, depth = 0;
	Dwarf_Die scope = *function;

	chain[0] = scope;
	while (depth++ < 4 * SCOPE_DEPTH_MAX && count <= INLINE_DEPTH_MAX && budget &&
	       enter_scope(&scope, vaddr, &budget)) {
		int tag = dwarf_tag(&scope);

		if (tag == DW_TAG_subprogram) /* a function defined inside a function has code and a frame of its own */
			count = 0;
		if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine)
			chain[count++] = scope;
	}
	return count;
}

static const char *string_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;

	return dwarf_formstring(dwarf_attr_integrate(die, name, &attribute));
}

static u64 number_of(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word number;

	return dwarf_formudata(dwarf_attr_integrate(die, name, &attribute), &number) ? 0 : number;
}

/* Where an inlined function was called from. */
static void find_call(Dwarf_Die *unit, Dwarf_Die *inlined, const char **ret_file, u32 *ret_line)
{
	Dwarf_Files *files;
	size_t count;

	*ret_file = NULL;
	if (!dwarf_getsrcfiles(unit, &files, &count) && dwarf_hasattr(inlined, DW_AT_call_file))
		*ret_file = dwarf_filesrc(files, number_of(inlined, DW_AT_call_file), NULL, NULL);
	*ret_line = number_of(inlined, DW_AT_call_line);
}

static void find_line(Dwarf_Die *unit, u64 vaddr, struct dwarf_place *place)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, vaddr);
	int number;

	if (!line)
		return;
	place->file = dwarf_linesrc(line, NULL, NULL);
	if (!dwarf_lineno(line, &number) && number > 0)
		place->line = number;
}

static void fill_functions(Dwarf_Die *unit, Dwarf_Die *chain, unsigned int count, struct dwarf_place *place)
{
	const char *file = place->file;
	u32 line = place->line;

	for (unsigned int i = count; i-- > 0;) {
		struct dwarf_function *function = &place->function[place->count++];

		function->linkage_name = string_of(&chain[i], DW_AT_linkage_name);
		if (!function->linkage_name)
			function->linkage_name = string_of(&chain[i], DW_AT_MIPS_linkage_name);
		function->name = string_of(&chain[i], DW_AT_name);
		function->start_line = number_of(&chain[i], DW_AT_decl_line);
		function->file = file;
		function->line = line;
		if (i)
			find_call(unit, &chain[i], &file, &line);
	}
}

static int index_unit(struct unit *unit, Dwarf_Die *die)
{
	u64 budget = 2 * unit->size + 1;
	int err;

	if (unit->indexed)
		return 0;
	err = index_functions(unit, die, 0, &budget);
	if (err == -ENOMEM)
		return err;
	address_ranges_sort(&unit->functions);
	unit->indexed = true;
	return 0;
}

int dwarf_reader_find(struct dwarf_reader *debuginfo, u64 vaddr, struct dwarf_place *ret_place)
{
	const struct address_range *span = address_ranges_find(&debuginfo->spans, vaddr);
	Dwarf_Die die, function, chain[INLINE_DEPTH_MAX + 1];
	struct dwarf_place place = {0};
	struct unit *unit;
	int err;

	if (!span)
		return -ENOENT;
	unit = &debuginfo->units[span->id];
	if (!dwarf_offdie(debuginfo->dwarf, unit->die, &die))
		return -ENOENT;
	find_line(&die, vaddr, &place);
	if (!unit->split) {
		err = index_unit(unit, &die);
		if (err)
			return err;
		span = address_ranges_find(&unit->functions, vaddr);
		if (span && dwarf_offdie(debuginfo->dwarf, span->id, &function)) {
			unsigned int count = find_chain(&function, vaddr, unit->size + 1, chain);

			place.entry = span->low;
			if (dwarf_dieoffset(&chain[0]) != span->id)
				dwarf_lowpc(&chain[0], &place.entry);
			fill_functions(&die, chain, count, &place);
		}
	}
	if (!place.count && !place.file)
		return -ENOENT;
	*ret_place = place;
	return 0;
}
