/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owns one struct dwarf_reader and one struct symbol_table per file, made when needed and dropped on request, every answer
 * given so far, and all names in them.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/hash.h"
#include "binary/debug_file.h"
#include "binary/dwarf.h"
#include "binary/debuginfod.h"
#include "binary/elf.h"
#include "binary/symbol_names.h"
#include "system/root_fs.h"
#include "binary/symbolizer.h"
#include "binary/elf_symbols.h"

#define DOWNLOADS_NS 60000000000u /* for all files of a recording: the user is waiting for it */

struct answer {
	u64 offset;
	struct symbol_frame frame;
	UT_hash_handle hh;
	struct symbol_line lines[];
};

struct file {
	struct elf *elf;
	struct file *same;		/* of the same build, seen earlier: that one is asked; NULL: none */
	struct elf *debug;		/* its separate debug file; NULL: none */
	struct dwarf_reader *debuginfo; /* NULL: none, or dropped */
	struct symbol_table *symtab;	/* NULL: not needed so far */
	bool dropped;			/* debuginfo was */
	struct answer *answers;
	UT_hash_handle hh;
};

struct symbolizer {
	struct file *files;
	struct symbol_names names;
	const struct root_fs *root; /* of the process whose addresses are asked for; NULL: unknown */
	struct root_fs own_root;
	struct debuginfod *server; /* NULL: none */
	bool server_tried, server_missing;
};

struct symbolizer *symbolizer_new(void)
{
	struct symbolizer *symbolizer = calloc(1, sizeof(*symbolizer));

	if (symbolizer)
		root_fs_open_own(&symbolizer->own_root);
	return symbolizer;
}

static void file_free(struct file *file)
{
	hash_release(file->answers, free);
	dwarf_reader_free(file->debuginfo);
	symbol_table_free(file->symtab);
	elf_free(file->debug);
	free(file);
}

void symbolizer_free(struct symbolizer *symbolizer)
{
	if (!symbolizer)
		return;
	hash_release(symbolizer->files, file_free);
	symbol_names_release(&symbolizer->names);
	debuginfod_free(symbolizer->server);
	root_fs_close(&symbolizer->own_root);
	free(symbolizer);
}

void symbolizer_drop_files(struct symbolizer *symbolizer)
{
	for (struct file *file = symbolizer->files; file; file = file->hh.next) {
		file->dropped = file->dropped || file->debuginfo;
		dwarf_reader_free(file->debuginfo);
		symbol_table_free(file->symtab);
		file->debuginfo = NULL;
		file->symtab = NULL;
	}
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
	symbolizer->root = root;
}

const char *symbolizer_complaint(const struct symbolizer *symbolizer)
{
	if (symbolizer->server_missing)
		return "DEBUGINFOD_URLS is set, but libdebuginfod is not installed";
	if (symbolizer->server && debuginfod_gave_up(symbolizer->server))
		return "the servers in DEBUGINFOD_URLS took longer than a minute";
	return NULL;
}

/* What *line has of a function and of a source file, as symbolizer.h wants it: living as long as the symbolizer. */
static int keep(struct symbolizer *symbolizer, const char *mangled, struct symbol_line *line)
{
	int err = symbol_names_function(&symbolizer->names, mangled, &line->system_name, &line->function);

	return err ? err : symbol_names_keep(&symbolizer->names, line->file, &line->file);
}

static int ask_server(struct symbolizer *symbolizer, struct file *file)
{
	int err = 0;

	if (!symbolizer->server_tried) {
		err = debuginfod_new(DOWNLOADS_NS, &symbolizer->server);
		symbolizer->server_missing = err == -ENOENT;
		symbolizer->server_tried = true;
	}
	if (err || !symbolizer->server || elf_path(file->elf)[0] != '/')
		return err == -ENOMEM ? err : -ENOENT;
	return debuginfod_find(symbolizer->server, file->elf, &file->debug);
}

/* 0 (with or without a file found), or -ENOMEM. */
static int find_debug(struct symbolizer *symbolizer, struct file *file)
{
	int err = -ENOENT;

	if (symbolizer->root)
		err = debug_file_find(file->elf, symbolizer->root, &file->debug);
	if (err == -ENOENT)
		err = debug_file_find(file->elf, &symbolizer->own_root, &file->debug);
	if (err == -ENOENT)
		err = ask_server(symbolizer, file);
	return err == -ENOMEM ? err : 0;
}

/* Find the DWARF of a new file, there or elsewhere. 0 or -ENOMEM. */
static int file_open(struct symbolizer *symbolizer, struct file *file)
{
	struct file *other;
	int err;

	for (other = symbolizer->files; other; other = other->hh.next) {
		if (!other->same && debug_file_fits(other->elf, file->elf)) {
			file->same = other;
			return 0;
		}
	}
	err = dwarf_reader_open(file->elf, &file->debuginfo);
	if (err == -ENODATA) {
		err = find_debug(symbolizer, file);
		if (!err && file->debug)
			err = dwarf_reader_open(file->debug, &file->debuginfo);
	}
	return err == -ENOMEM ? err : 0;
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

/* The separate debug file has every symbol; .gnu_debugdata those that .dynsym lacks. */
static int read_symbols(struct file *file)
{
	struct elf *unpacked = NULL;
	int err = 0;

	if (!file->debug)
		err = debug_file_unpack(file->elf, &unpacked);
	if (err == -ENOMEM)
		return err;
	err = symbol_table_new(file->elf, file->debug ? file->debug : unpacked, &file->symtab);
	elf_free(unpacked);
	return err;
}

/* One line from the symbol table; source file and line come from DWARF where that knows the line and not the function.
 */
static int answer_from_symbol(struct symbolizer *symbolizer, struct file *file, const struct dwarf_place *place,
			      struct answer *answer)
{
	struct symbol_line *line = &answer->lines[0];
	int err = file->symtab ? 0 : read_symbols(file);
	const char *name;
	u64 start;

	if (err)
		return err;
	name = symbol_table_find(file->symtab, answer->offset, &start);
	if (!name)
		return 0;
	line->file = place->file;
	line->line = place->line;
	answer->frame.line_count = 1;
	answer->frame.function_offset = answer->offset - start;
	return keep(symbolizer, name, line);
}

static int answer_from_debuginfo(struct symbolizer *symbolizer, const struct dwarf_place *place, u64 vaddr,
				 struct answer *answer)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < place->count; i++) {
		const struct dwarf_function *function = &place->function[i];
		const char *name = function->linkage_name ? function->linkage_name : function->name;

		if (!name) /* an inlined function without a name: the caller's line still tells the place */
			continue;
		answer->lines[answer->frame.line_count] = (struct symbol_line){
			.file = function->file, .line = function->line, .start_line = function->start_line};
		err = keep(symbolizer, name, &answer->lines[answer->frame.line_count++]);
	}
	answer->frame.function_offset = vaddr - place->entry;
	return err;
}

/* 0 (place->count may be 0), or -ENOMEM. */
static int find_place(struct file *file, u64 vaddr, struct dwarf_place *place)
{
	int err = 0;

	if (file->dropped) {
		err = dwarf_reader_open(file->debug ? file->debug : file->elf, &file->debuginfo);
		file->dropped = err == -ENOMEM;
	}
	if (!err && file->debuginfo)
		err = dwarf_reader_find(file->debuginfo, vaddr, place);
	return err == -ENOMEM ? err : 0;
}

static int find_answer(struct symbolizer *symbolizer, struct file *file, u64 offset, struct answer **ret_answer)
{
	struct dwarf_place place = {0};
	struct answer *answer;
	bool is_code;
	u64 vaddr;
	int err = 0;

	is_code = !elf_offset_to_vaddr(file->elf, offset, &vaddr);
	if (is_code)
		err = find_place(file, vaddr, &place);
	if (err)
		return err;
	answer = calloc(1, sizeof(*answer) + (place.count + 1) * sizeof(answer->lines[0]));
	if (!answer)
		return -ENOMEM;
	answer->offset = offset;
	err = place.count ? answer_from_debuginfo(symbolizer, &place, vaddr, answer) : 0;
	if (!err && is_code && !answer->frame.line_count)
		err = answer_from_symbol(symbolizer, file, &place, answer);
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
