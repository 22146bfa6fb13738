/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code addresses to names. Owns one struct debuginfo and one struct symtab per file, both made when first needed, every
 * answer given so far, and every name demangled so far. Called by profile_symbolize.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "debuginfo.h"
#include "elf.h"
#include "mangled.h"
#include "symbol.h"
#include "symtab.h"

struct answer {
	u64 offset;
	struct symbol_frame frame;
	UT_hash_handle hh;
	struct symbol_line lines[];
};

struct file {
	struct elf *elf;
	struct debuginfo *debuginfo; /* NULL: none */
	struct symtab *symtab;	     /* NULL: not needed so far */
	struct answer *answers;
	UT_hash_handle hh;
};

struct name {
	char *readable; /* NULL: the same */
	UT_hash_handle hh;
	char mangled[];
};

struct symbolizer {
	struct file *files;
	struct name *names;
};

struct symbolizer *symbolizer_new(void)
{
	return calloc(1, sizeof(struct symbolizer));
}

static void file_free(struct file *file)
{
	struct answer *answer, *next;

	HASH_ITER (hh, file->answers, answer, next) {
		HASH_DEL(file->answers, answer);
		free(answer);
	}
	debuginfo_free(file->debuginfo);
	symtab_free(file->symtab);
	free(file);
}

void symbolizer_free(struct symbolizer *symbolizer)
{
	struct file *file, *next_file;
	struct name *name, *next_name;

	if (!symbolizer)
		return;
	HASH_ITER (hh, symbolizer->files, file, next_file) {
		HASH_DEL(symbolizer->files, file);
		file_free(file);
	}
	HASH_ITER (hh, symbolizer->names, name, next_name) {
		HASH_DEL(symbolizer->names, name);
		free(name->readable);
		free(name);
	}
	free(symbolizer);
}

/* Both names of *line, as symbol.h wants them: living as long as the symbolizer, one pointer when equal. */
static int intern(struct symbolizer *symbolizer, const char *mangled, struct symbol_line *line)
{
	size_t length = strlen(mangled);
	struct name *name;

	HASH_FIND(hh, symbolizer->names, mangled, length, name);
	if (!name) {
		name = calloc(1, sizeof(*name) + length + 1);
		if (!name)
			return -ENOMEM;
		memcpy(name->mangled, mangled, length + 1);
		HASH_ADD(hh, symbolizer->names, mangled, length, name);
		if (!name->hh.tbl) {
			free(name);
			return -ENOMEM;
		}
		name->readable = mangled_readable(mangled);
	}
	line->system_name = name->mangled;
	line->function = name->readable ? name->readable : name->mangled;
	return 0;
}

static int find_file(struct symbolizer *symbolizer, struct elf *elf, struct file **ret_file)
{
	struct file *file;

	HASH_FIND_PTR(symbolizer->files, &elf, file);
	if (!file) {
		file = calloc(1, sizeof(*file));
		if (!file)
			return -ENOMEM;
		file->elf = elf;
		if (debuginfo_open(elf_fd(elf), &file->debuginfo) == -ENOMEM) {
			free(file);
			return -ENOMEM;
		}
		HASH_ADD_PTR(symbolizer->files, elf, file);
		if (!file->hh.tbl) {
			file_free(file);
			return -ENOMEM;
		}
	}
	*ret_file = file;
	return 0;
}

static int find_symbol(struct file *file, u64 offset, const char **ret_name, u64 *ret_start)
{
	int err = 0;

	if (!file->symtab)
		err = symtab_new(file->elf, &file->symtab);
	if (!err)
		*ret_name = symtab_find(file->symtab, offset, ret_start);
	return err;
}

/* One line from the symbol table; source file and line come from DWARF where that knows the line and not the function.
 */
static int answer_from_symbol(struct symbolizer *symbolizer, struct file *file, const struct debuginfo_place *place,
			      struct answer *answer)
{
	struct symbol_line *line = &answer->lines[0];
	const char *name;
	u64 start;
	int err;

	err = find_symbol(file, answer->offset, &name, &start);
	if (err || !name)
		return err;
	line->file = place->file;
	line->line = place->line;
	answer->frame.line_count = 1;
	answer->frame.function_offset = answer->offset - start;
	return intern(symbolizer, name, line);
}

static int answer_from_debuginfo(struct symbolizer *symbolizer, const struct debuginfo_place *place, u64 vaddr,
				 struct answer *answer)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < place->count; i++) {
		const struct debuginfo_function *function = &place->function[i];
		const char *name = function->linkage_name ? function->linkage_name : function->name;

		if (!name) /* an inlined function nobody named: the caller's line still tells the place */
			continue;
		answer->lines[answer->frame.line_count] = (struct symbol_line){
			.file = function->file, .line = function->line, .start_line = function->start_line};
		err = intern(symbolizer, name, &answer->lines[answer->frame.line_count++]);
	}
	answer->frame.function_offset = vaddr - place->entry;
	return err;
}

static int find_answer(struct symbolizer *symbolizer, struct file *file, u64 offset, struct answer **ret_answer)
{
	struct debuginfo_place place = {0};
	struct answer *answer;
	bool is_code;
	u64 vaddr;
	int err = 0;

	is_code = !elf_offset_to_vaddr(file->elf, offset, &vaddr);
	if (is_code && file->debuginfo)
		err = debuginfo_find(file->debuginfo, vaddr, &place);
	if (err == -ENOMEM)
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
		if (!answer->hh.tbl) {
			free(answer);
			return -ENOMEM;
		}
	}
	*ret_frame = answer->frame;
	return 0;
}
