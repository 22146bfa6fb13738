/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns one struct code_file per file, every answer given so far, and all names in them. Decides which name wins.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "binary/code_file.h"
#include "binary/debug_file.h"
#include "binary/debug_search.h"
#include "binary/elf.h"
#include "binary/name_gaps.h"
#include "binary/symbol_names.h"
#include "binary/symbolizer.h"

struct answer {
	u64 offset;
	struct symbol_frame frame;
	u32 note;
	UT_hash_handle hh;
	struct symbol_line lines[];
};

struct file {
	struct elf *elf;       /* the key; as code.elf */
	struct file *same;     /* of the same build, seen earlier: that one is asked; NULL: none */
	struct code_file code; /* unused where another one is asked */
	bool asked;	       /* for a new address, since the last trim */
	struct answer *answers;
	UT_hash_handle hh;
};

struct symbolizer {
	struct file *files;
	struct symbol_names names;
	struct debug_search *search;
	struct name_gaps gaps;
};

struct symbolizer *symbolizer_new(void)
{
	struct symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));

	if (!symbolizer)
		return NULL;
	symbolizer->search = debug_search_new();
	if (symbolizer->search)
		return symbolizer;
	free(symbolizer);
	return NULL;
}

static void file_free(struct file *file)
{
	hash_release(file->answers, free);
	code_file_release(&file->code);
	free(file);
}

void symbolizer_free(struct symbolizer *symbolizer)
{
	if (!symbolizer)
		return;
	hash_release(symbolizer->files, file_free);
	symbol_names_release(&symbolizer->names);
	debug_search_free(symbolizer->search);
	free(symbolizer);
}

bool symbolizer_trim(struct symbolizer *symbolizer, size_t bytes_max)
{
	bool any = false;
	size_t bytes = 0;

	for (struct file *file = symbolizer->files; file; file = file->hh.next) {
		if (!file->asked)
			any |= code_file_drop(&file->code);
		file->asked = false;
		bytes += code_file_bytes(&file->code);
	}
	for (struct file *file = bytes > bytes_max ? symbolizer->files : NULL; file; file = file->hh.next)
		any |= code_file_drop(&file->code);
	return any;
}

void symbolizer_forget(struct symbolizer *symbolizer, const struct elf *elf)
{
	struct file *gone, *file, *next;

	HASH_FIND_PTR(symbolizer->files, &elf, gone);
	if (!gone)
		return;
	/* Those that asked it look for themselves. */
	HASH_ITER (hh, symbolizer->files, file, next) {
		if (file != gone && file->same != gone)
			continue;
		HASH_DEL(symbolizer->files, file);
		file_free(file);
	}
}

void symbolizer_set_root(struct symbolizer *symbolizer, const struct root_fs *root)
{
	debug_search_set_root(symbolizer->search, root);
}

const char *symbolizer_complaint(struct symbolizer *symbolizer, unsigned int which)
{
	const char *complaint = debug_search_complaint(symbolizer->search);

	if (complaint && !which--)
		return complaint;
	for (enum name_gap gap = 0; gap < GAP_MAX; gap++) {
		complaint = name_gaps_text(&symbolizer->gaps, gap);
		if (complaint && !which--)
			return complaint;
	}
	return NULL;
}

/* What *line has of a function and of a source file, as symbolizer.h wants it: living as long as the symbolizer. */
static int keep(struct symbolizer *symbolizer, const char *mangled, struct symbol_line *line)
{
	int err = symbol_names_function(&symbolizer->names, mangled, &line->system_name, &line->function);

	return err ? err : symbol_names_keep(&symbolizer->names, line->file, &line->file);
}

/* 0 or -ENOMEM. */
static int file_open(struct symbolizer *symbolizer, struct file *file)
{
	for (struct file *other = symbolizer->files; other; other = other->hh.next) {
		if (!other->same && debug_file_fits(other->elf, file->elf)) {
			file->same = other;
			return 0;
		}
	}
	return code_file_open(&file->code, file->elf, symbolizer->search, &symbolizer->gaps);
}

static int find_file(struct symbolizer *symbolizer, struct elf *elf, struct file **ret_file)
{
	struct file *file;

	HASH_FIND_PTR(symbolizer->files, &elf, file);
	if (!file) {
		int err;

		file = calloc(1, sizeof(*file));
		if (!file)
			return -ENOMEM;
		file->elf = elf;
		err = file_open(symbolizer, file);
		if (err) {
			file_free(file);
			return err;
		}
		HASH_ADD_PTR(symbolizer->files, elf, file);
		if (!hash_added(&file->hh)) {
			file_free(file);
			return -ENOMEM;
		}
	}
	*ret_file = file->same ? file->same : file;
	return 0;
}

/* The functions inlined there. One without a name is left out: the caller's line still tells the place. */
static int add_inlined(struct symbolizer *symbolizer, const struct dwarf_place *place, struct answer *answer)
{
	int err = 0;

	for (unsigned int i = 0; !err && i + 1 < place->count; i++) {
		const struct dwarf_function *function = &place->function[i];
		const char *name = function->linkage_name ? function->linkage_name : function->name;

		if (!name)
			continue;
		answer->lines[answer->frame.line_count] = (struct symbol_line){
			.file = function->file, .line = function->line, .start_line = function->start_line};
		err = keep(symbolizer, name, &answer->lines[answer->frame.line_count++]);
	}
	return err;
}

/* "name [one of 3 folded]", where the linker made one function of several. */
static int mark_folded(struct symbolizer *symbolizer, int folded, const char **name)
{
	char *text;
	int err;

	if (folded < 2)
		return 0;
	if (asprintf(&text, "%s [one of %d folded]", *name, folded) < 0)
		return -ENOMEM;
	err = symbol_names_keep(&symbolizer->names, text, name);
	free(text);
	return err;
}

/* The line of the physical function, whose first byte is at file offset `start`. */
static int add_line(struct symbolizer *symbolizer, struct file *file, const struct dwarf_function *function,
		    const char *name, u64 start, struct answer *answer)
{
	struct symbol_line *line = &answer->lines[answer->frame.line_count];
	int folded = symbol_table_folded(file->code.symbols, start), err;

	*line = (struct symbol_line){
		.file = function->file, .line = function->line, .start_line = function->start_line};
	err = folded < 0 ? folded : keep(symbolizer, name, line);
	if (!err)
		err = mark_folded(symbolizer, folded, &line->function);
	if (!err)
		answer->frame.line_count++;
	return err;
}

/*
 * A name of DWARF that says neither scope nor parameters ("run", "operator()"), as where there are line tables only, is
 * worse than the same function's mangled symbol. *ret_name is for the caller to free; NULL: the symbol says no more.
 */
static int find_mangled(const char *symbol, char **ret_name)
{
	char *base = symbol_names_base(symbol), *readable = base ? symbol_names_demangle(base) : NULL;

	*ret_name = readable ? base : NULL;
	if (!readable)
		free(base);
	free(readable);
	return base ? 0 : -ENOMEM;
}

/*
 * The physical function has a name wherever there is one: the linker's in DWARF, else a mangled symbol's, else the plain one in
 * DWARF, else any symbol's. Where DWARF knows no function, it may know the line all the same.
 */
static int add_physical(struct symbolizer *symbolizer, struct file *file, const struct dwarf_place *place, u64 vaddr,
			struct answer *answer)
{
	const struct dwarf_function lines_only = {.file = place->file, .line = place->line};
	const struct dwarf_function *function = place->count ? &place->function[place->count - 1] : &lines_only;
	u64 begin = answer->offset - (place->count ? vaddr - place->entry : 0), start = begin;
	const char *symbol = symbol_table_find(file->code.symbols, answer->offset, &start),
		   *name = function->linkage_name;
	char *mangled = NULL;
	int err = 0;

	if (!name && symbol && function->name && start == begin)
		err = find_mangled(symbol, &mangled);
	if (!name)
		name = mangled ? mangled : function->name ? function->name : symbol;
	if (!err && name) {
		answer->frame.function_offset = answer->offset - (place->count ? begin : start);
		err = add_line(symbolizer, file, function, name, place->count ? begin : start, answer);
	}
	free(mangled);
	return err;
}

static int find_answer(struct symbolizer *symbolizer, struct file *file, u64 offset, struct answer **ret_answer)
{
	struct dwarf_place place = {0};
	struct answer *answer;
	bool is_code;
	u64 vaddr;
	int err = 0;

	file->asked = true;
	is_code = !elf_offset_to_vaddr(file->elf, offset, &vaddr);
	if (is_code)
		err = code_file_find(&file->code, vaddr, &place);
	if (err)
		return err;
	answer = calloc(1, sizeof(*answer) + (place.count + 1) * sizeof(answer->lines[0]));
	if (!answer)
		return -ENOMEM;
	answer->offset = offset;
	err = add_inlined(symbolizer, &place, answer);
	if (!err && is_code)
		err = add_physical(symbolizer, file, &place, vaddr, answer);
	if (err) {
		free(answer);
		return err;
	}
	answer->frame.lines = answer->lines;
	*ret_answer = answer;
	return 0;
}

int symbolizer_resolve(struct symbolizer *symbolizer, struct elf *elf, u64 offset, struct symbol_frame *ret_frame)
{
	struct answer *answer;
	struct file *file;
	int err;

	err = find_file(symbolizer, elf, &file);
	if (err)
		return err;
	HASH_FIND(hh, file->answers, &offset, sizeof(offset), answer);
	if (!answer) {
		err = find_answer(symbolizer, file, offset, &answer);
		if (err)
			return err;
		HASH_ADD(hh, file->answers, offset, sizeof(offset), answer);
		if (!hash_kept(&answer->hh, answer))
			return -ENOMEM;
	}
	*ret_frame = answer->frame;
	return 0;
}

u32 *symbolizer_note(const struct symbolizer *symbolizer, const struct elf *elf, u64 offset)
{
	struct answer *answer = NULL;
	struct file *file;

	HASH_FIND_PTR(symbolizer->files, &elf, file);
	if (file && file->same)
		file = file->same;
	if (file)
		HASH_FIND(hh, file->answers, &offset, sizeof(offset), answer);
	return answer ? &answer->note : NULL;
}
