/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/go_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MINOR_MIN   19
#define MINOR_MAX   27
#define NAME_MAX_GO 4096       /* characters of a name that is believed */
#define STEPS_MAX   (1u << 20) /* values of one function */
#define STEPS_ALL   (1u << 31) /* of all that is asked: a table made to be slow must not cost hours */

/* runtime/funcdata.h, the same in Go 1.18 to 1.27. */
#define PCDATA_INLINE_TREE_INDEX 2
#define FUNCDATA_INLINE_TREE	 3

/* runtime2.go, _func: the words in front of its tables of pcdata and funcdata. */
struct function_layout {
	u8 size;				     /* of _func */
	u8 start_line;				     /* offset; 0: there is none */
	u8 data_count;				     /* offset of nfuncdata */
	u8 inline_size;				     /* of inlinedCall, symtabinl.go */
	u8 inline_name, inline_parent, inline_start; /* offsets in it; inline_start 0: there is none */
};

static const struct function_layout layout_1_19 = {40, 0, 39, 20, 12, 16, 0};
static const struct function_layout layout_1_20 = {44, 36, 43, 16, 4, 8, 12};

struct go_lines {
	const struct elf *elf;
	const struct go_image *image;
	struct go_module module;
	const struct function_layout *layout;
	u8 *bytes;
	u64 size, functions;			/* bytes; number of functions */
	u64 names, units, files, values, table; /* offsets of the parts */
	u64 steps_left;
};

struct function {
	u64 entry, at; /* address; place of its _func in the bytes */
};

static u32 u32_at(const struct go_lines *lines, u64 at)
{
	u32 value = 0;

	if (at <= lines->size - sizeof(value))
		memcpy(&value, lines->bytes + at, sizeof(value));
	return value;
}

static u64 u64_at(const struct go_lines *lines, u64 at)
{
	u64 value = 0;

	if (at <= lines->size - sizeof(value))
		memcpy(&value, lines->bytes + at, sizeof(value));
	return value;
}

/* A text of the table; NULL: it does not end, or is empty. */
static const char *text_at(const struct go_lines *lines, u64 part, u64 offset, u64 end)
{
	u64 at = part + offset, room;

	if (offset >= end - part)
		return NULL;
	room = end - at < NAME_MAX_GO ? end - at : NAME_MAX_GO;
	return lines->bytes[at] && memchr(lines->bytes + at, 0, room) ? (const char *)lines->bytes + at : NULL;
}

/* --- opening --- */

static int check(struct go_lines *lines)
{
	if (lines->image->minor < MINOR_MIN || lines->image->minor > MINOR_MAX)
		return -ENOTSUP;
	if (lines->size <= GO_LINES_HEADER || !go_image_is_lines(lines->bytes, lines->size))
		return -EBADMSG;
	lines->layout = lines->image->minor < 20 ? &layout_1_19 : &layout_1_20;
	lines->functions = u64_at(lines, 8);
	lines->names = u64_at(lines, 32);
	lines->units = u64_at(lines, 40);
	lines->files = u64_at(lines, 48);
	lines->values = u64_at(lines, 56);
	lines->table = u64_at(lines, 64);
	return 0;
}

int go_lines_open(const struct elf *elf, const struct go_image *image, const struct go_module *module,
		  struct go_lines **ret_lines)
{
	struct go_lines *lines = calloc(1, sizeof(*lines));
	int err;

	if (!lines)
		return -ENOMEM;
	*lines = (struct go_lines){
		.elf = elf, .image = image, .module = *module, .size = image->lines.size, .steps_left = STEPS_ALL};
	err = elf_read_bytes(elf, image->lines.offset, image->lines.size, GO_LINES_MAX, &lines->bytes);
	err = err ? err : check(lines);
	if (err)
		go_lines_free(lines);
	else
		*ret_lines = lines;
	return err;
}

void go_lines_free(struct go_lines *lines)
{
	if (!lines)
		return;
	free(lines->bytes);
	free(lines);
}

/* --- functions --- */

static u64 entry_of(const struct go_lines *lines, u64 index)
{
	return lines->module.text + u32_at(lines, lines->table + 8 * index);
}

static struct function function_of(const struct go_lines *lines, u64 index)
{
	return (struct function){entry_of(lines, index), lines->table + u32_at(lines, lines->table + 8 * index + 4)};
}

static int find_function(const struct go_lines *lines, u64 address, struct function *ret_function)
{
	u64 first = 0, end = lines->functions;

	if (address < entry_of(lines, 0) || address >= entry_of(lines, end))
		return -ENOENT;
	while (end - first > 1) {
		u64 middle = first + (end - first) / 2;

		if (entry_of(lines, middle) <= address)
			first = middle;
		else
			end = middle;
	}
	*ret_function = function_of(lines, first);
	return ret_function->entry <= address && ret_function->at <= lines->size - lines->layout->size ? 0 : -ENOENT;
}

static const char *name_of(const struct go_lines *lines, u32 offset)
{
	return text_at(lines, lines->names, offset, lines->units);
}

/* Without looking for the end of names that are other ones. */
static bool has_name(const struct go_lines *lines, u64 function, const char *name, size_t size)
{
	u64 at = lines->names + u32_at(lines, function + 4);

	return at < lines->units && lines->units - at >= size && !memcmp(lines->bytes + at, name, size);
}

int go_lines_function(const struct go_lines *lines, const char *name, u64 *ret_start, u64 *ret_end)
{
	const size_t size = strlen(name) + 1;

	for (u64 i = 0; i < lines->functions; i++) {
		if (!has_name(lines, function_of(lines, i).at, name, size))
			continue;
		*ret_start = entry_of(lines, i);
		*ret_end = entry_of(lines, i + 1);
		return *ret_end > *ret_start ? 0 : -ENOENT;
	}
	return -ENOENT;
}

/* --- values by address --- */

/* A number of the tables of values, of at most 32 bits. False: the table ends within. */
static bool read_number(const struct go_lines *lines, u64 *at, u32 *ret_number)
{
	u32 number = 0;

	for (unsigned int shift = 0; shift < 35; shift += 7) {
		u8 byte;

		if (*at >= lines->table)
			return false;
		byte = lines->bytes[(*at)++];
		number |= shift < 32 ? (u32)(byte & 0x7f) << shift : 0;
		if (!(byte & 0x80)) {
			*ret_number = number;
			return true;
		}
	}
	return false;
}

/* Pairs of differences, of the value and of the address up to which it holds; -1: unknown. */
static s32 value_at(struct go_lines *lines, u32 offset, u64 entry, u64 address)
{
	u64 at = lines->values + offset, pc = entry;
	u32 value = UINT32_MAX, change, length, steps = 0;

	if (!offset || offset >= lines->table - lines->values)
		return -1;
	while (steps < STEPS_MAX && lines->steps_left && read_number(lines, &at, &change) && (change || !steps)) {
		steps++;
		lines->steps_left--;
		value += change & 1 ? ~(change >> 1) : change >> 1;
		if (!read_number(lines, &at, &length))
			return -1;
		pc += length;
		if (address < pc)
			return (s32)value;
	}
	return -1;
}

static s32 data_at(struct go_lines *lines, const struct function *function, u32 number, u64 address)
{
	u32 count = u32_at(lines, function->at + 28);

	if (number >= count)
		return -1;
	return value_at(lines, u32_at(lines, function->at + lines->layout->size + 4UL * number), function->entry,
			address);
}

static void find_file(struct go_lines *lines, const struct function *function, u64 address, struct go_line *line)
{
	s32 file = value_at(lines, u32_at(lines, function->at + 20), function->entry, address);
	s32 number = value_at(lines, u32_at(lines, function->at + 24), function->entry, address);
	u64 unit = u32_at(lines, function->at + 32), place;

	if (file < 0 || number < 0)
		return;
	line->line = (u32)number;
	place = lines->units + 4 * (unit + (u64)file);
	if (place + 4 > lines->files)
		return;
	line->file = text_at(lines, lines->files, u32_at(lines, place), lines->values);
}

/* --- inlined functions --- */

/* The tree's place, 0: the function has nothing inlined. */
static u64 find_tree(const struct go_lines *lines, const struct function *function)
{
	u64 data_count = function->at + lines->layout->data_count;
	u32 values = u32_at(lines, function->at + 28), offset;

	if (data_count >= lines->size || lines->bytes[data_count] <= FUNCDATA_INLINE_TREE || values > 64)
		return 0;
	offset = u32_at(lines, function->at + lines->layout->size + 4UL * (values + FUNCDATA_INLINE_TREE));
	return offset == UINT32_MAX ? 0 : lines->module.gofunc + offset;
}

/* 1: a function is inlined there, and *line is its; 0: none is. */
static int find_inlined(struct go_lines *lines, const struct function *function, u64 address, struct go_line *line)
{
	const struct function_layout *layout = lines->layout;
	u64 tree = find_tree(lines, function);
	s32 index = tree ? data_at(lines, function, PCDATA_INLINE_TREE_INDEX, address) : -1;
	u8 call[20];
	u32 name, parent, start = 0;

	if (index < 0 || index >= 1 << 20)
		return 0;
	if (go_image_bytes(lines->elf, lines->image, tree + (u64)index * layout->inline_size, call,
			   layout->inline_size))
		return -ENOENT;
	memcpy(&name, call + layout->inline_name, sizeof(name));
	memcpy(&parent, call + layout->inline_parent, sizeof(parent));
	if (layout->inline_start)
		memcpy(&start, call + layout->inline_start, sizeof(start));
	line->function = name_of(lines, name);
	line->start_line = start;
	line->parent = function->entry + parent;
	return line->function ? 1 : -ENOENT;
}

int go_lines_find(struct go_lines *lines, u64 address, struct go_line *ret_line)
{
	struct go_line line = {0};
	struct function function;
	int err = find_function(lines, address, &function), inlined;

	if (err)
		return err;
	line.entry = function.entry;
	inlined = find_inlined(lines, &function, address, &line);
	if (inlined < 0)
		return inlined;
	if (!inlined) {
		line.function = name_of(lines, u32_at(lines, function.at + 4));
		line.start_line =
			lines->layout->start_line ? u32_at(lines, function.at + lines->layout->start_line) : 0;
	}
	find_file(lines, &function, address, &line);
	*ret_line = line;
	return line.function ? 0 : -ENOENT;
}
