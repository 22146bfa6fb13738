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
#include "binary/address_ranges.h"
#include "binary/dwarf_copy.h"
#include "binary/dwarf.h"
#include "binary/dwarf_scope.h"
#include "binary/split_unit.h"

#define SPLIT_BYTES_MAX ((size_t)1 << 30) /* of all bodies of split units of a file */

/* --- units --- */

struct unit {
	Dwarf_Off die;
	u64 size;   /* bytes: no honest unit has more entries than that */
	bool split; /* its functions are described in another file */
	bool asked; /* for that file */
	bool indexed;
	bool deep;			 /* functions inside functions too */
	Dwarf_Die body;			 /* of a split one; addr NULL: not to be had */
	struct address_ranges functions; /* ids: offsets of their entries */
};

/* A copy of one file's sections, and libdw's handles over it. Valid when zeroed. */
struct image {
	u8 *bytes;
	size_t size;
	Elf *elf;
	Dwarf *dwarf;
};

struct dwarf_reader {
	struct image own, alternate;
	struct unit *units;
	size_t unit_count;
	struct address_ranges spans; /* ids: indices of units */
	u64 spans_max;
	size_t split_bytes; /* of bodies of split units */
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

	while (!err &&
	       !dwarf_next_unit(debuginfo->own.dwarf, offset, &next, &header, NULL, NULL, NULL, NULL, NULL, NULL)) {
		Dwarf_Die die;
		uint8_t type;

		if (dwarf_offdie(debuginfo->own.dwarf, offset + header, &die) &&
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

static int image_open(struct image *image, const struct elf *file, enum dwarf_copy_of of)
{
	int err = dwarf_copy_read(file, of, NULL, &image->bytes, &image->size);

	if (err)
		return err;
	image->elf = elf_memory((char *)image->bytes, image->size);
	image->dwarf = image->elf ? dwarf_begin_elf(image->elf, DWARF_C_READ, NULL) : NULL;
	return image->dwarf ? 0 : -ENODATA;
}

static void image_close(struct image *image)
{
	dwarf_end(image->dwarf);
	elf_end(image->elf);
	free(image->bytes);
	*image = (struct image){0};
}

int dwarf_reader_open(const struct elf *file, struct dwarf_reader **ret_debuginfo)
{
	struct dwarf_reader *debuginfo = calloc(1, sizeof(*debuginfo));
	int err;

	if (!debuginfo)
		return -ENOMEM;
	err = image_open(&debuginfo->own, file, DWARF_OWN);
	if (!err) {
		debuginfo->spans_max = spans_max(debuginfo->own.size);
		err = read_units(debuginfo);
	}
	if (err)
		dwarf_reader_free(debuginfo);
	else
		*ret_debuginfo = debuginfo;
	return err;
}

int dwarf_reader_add_alternate(struct dwarf_reader *debuginfo, const struct elf *alternate)
{
	int err = image_open(&debuginfo->alternate, alternate, DWARF_ALTERNATE);

	if (err)
		image_close(&debuginfo->alternate);
	else
		dwarf_setalt(debuginfo->own.dwarf, debuginfo->alternate.dwarf);
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
	image_close(&debuginfo->own);
	image_close(&debuginfo->alternate);
	free(debuginfo);
}

size_t dwarf_reader_bytes(const struct dwarf_reader *debuginfo)
{
	return debuginfo ? debuginfo->own.size + debuginfo->alternate.size + debuginfo->split_bytes : 0;
}

/* Functions with code below `parent`. Those inside other functions dwarf_scope_chain finds on its way, unless their code is elsewhere. */
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
		if (!err && (tag == DW_TAG_namespace || tag == DW_TAG_module || (unit->deep && dwarf_is_scope(tag))))
			err = index_functions(unit, &die, depth + 1, budget);
	} while (!err && *budget && !dwarf_siblingof(&die, &die));
	return err;
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

	unit->functions.count = 0;
	err = index_functions(unit, die, 0, &budget);
	if (err == -ENOMEM)
		return err;
	address_ranges_sort(&unit->functions);
	unit->indexed = true;
	return 0;
}

static struct unit *find_unit(struct dwarf_reader *debuginfo, u64 vaddr, Dwarf_Die *ret_die)
{
	const struct address_range *span = address_ranges_find(&debuginfo->spans, vaddr);
	struct unit *unit = span ? &debuginfo->units[span->id] : NULL;

	return unit && dwarf_offdie(debuginfo->own.dwarf, unit->die, ret_die) ? unit : NULL;
}

bool dwarf_reader_asks_split(struct dwarf_reader *debuginfo, u64 vaddr, const char **ret_directory,
			     const char **ret_name)
{
	Dwarf_Die skeleton;
	struct unit *unit = find_unit(debuginfo, vaddr, &skeleton);

	if (!unit || !unit->split || unit->asked)
		return false;
	unit->asked = true;
	*ret_name = split_unit_name(&skeleton, ret_directory);
	return true;
}

int dwarf_reader_add_split(struct dwarf_reader *debuginfo, u64 vaddr, const struct elf *file)
{
	Dwarf_Die skeleton;
	struct unit *unit = find_unit(debuginfo, vaddr, &skeleton);
	size_t size;
	u8 *body;
	int err = !unit ? -ENOENT : debuginfo->split_bytes > SPLIT_BYTES_MAX ? -EFBIG : 0;

	err = err ? err : split_unit_copy(&skeleton, file, &body, &size);
	if (err)
		return err;
	err = split_unit_link(&skeleton, debuginfo->own.bytes, debuginfo->own.size, body, size, &unit->body);
	free(body);
	if (err)
		return err;
	unit->size = size;
	debuginfo->split_bytes += size;
	return 0;
}

/* A lambda's code is not in that of the function that g++ -flto describes it in: rare, and a walk through all of the unit. */
static int find_function(struct unit *unit, Dwarf_Die *body, u64 vaddr, const struct address_range **ret_span)
{
	int err = unit->indexed ? 0 : index_unit(unit, body);

	*ret_span = err ? NULL : address_ranges_find(&unit->functions, vaddr);
	if (err || *ret_span || unit->deep)
		return err;
	unit->deep = true;
	err = index_unit(unit, body);
	*ret_span = err ? NULL : address_ranges_find(&unit->functions, vaddr);
	return err;
}

/* The physical function there and what is inlined into it; place->count is 0 where none is known. 0 or -ENOMEM. */
static int find_functions(struct unit *unit, Dwarf_Die *body, u64 vaddr, struct dwarf_place *place)
{
	Dwarf_Die function, chain[INLINE_DEPTH_MAX + 1];
	const struct address_range *span;
	int err = find_function(unit, body, vaddr, &span);
	unsigned int count;

	if (err || !span || !dwarf_offdie(dwarf_cu_getdwarf(body->cu), span->id, &function))
		return err;
	count = dwarf_scope_chain(&function, vaddr, 2 * unit->size + 1, chain);
	place->entry = span->low;
	if (dwarf_dieoffset(&chain[0]) != span->id)
		dwarf_lowpc(&chain[0], &place->entry);
	fill_functions(body, chain, count, place);
	return 0;
}

int dwarf_reader_find(struct dwarf_reader *debuginfo, u64 vaddr, struct dwarf_place *ret_place)
{
	struct dwarf_place place = {0};
	Dwarf_Die die, *body;
	struct unit *unit = find_unit(debuginfo, vaddr, &die);
	int err = 0;

	if (!unit)
		return -ENOENT;
	find_line(&die, vaddr, &place);
	body = unit->split ? &unit->body : &die;
	if (body->addr)
		err = find_functions(unit, body, vaddr, &place);
	if (!err && !place.count && !place.file)
		err = -ENOENT;
	if (!err)
		*ret_place = place;
	return err;
}
