/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Shared objects made of tests/fixture by a compiler, and a symbolizer asked about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/system/scratch.h"
#include "shell.h"

#include "binary/elf.h"
#include "binary/symbolizer.h"

/* Compile tests/fixture/<source> with `compiler` (and its options) to <name>. */
static inline void build(const char *compiler, const char *source, const char *name)
{
	run("%s -O2 -shared -fPIC -o %s %s/tests/fixture/%s", compiler, name, SOURCE_DIR, source);
}

struct object {
	struct elf *elf;
	struct symbolizer *symbolizer;
	char path[128];
};

static inline struct object object_open(const char *name)
{
	struct object object;
	int fd;

	snprintf(object.path, sizeof(object.path), "./%s", name);
	fd = open(object.path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(elf_open(fd, object.path, &object.elf), 0);
	object.symbolizer = symbolizer_new();
	assert_non_null(object.symbolizer);
	return object;
}

static inline void object_close(struct object *object)
{
	symbolizer_free(object->symbolizer);
	elf_free(object->elf);
}

/* File offset of a label, from the symbols of <name>, which may be an unstripped twin of the object asked.
 */
static inline u64 mark_offset(const struct object *object, const char *name, const char *mark)
{
	char command[256];
	unsigned long vaddr = 0;
	u64 offset;
	FILE *out;

	snprintf(command, sizeof(command), "nm %s | awk '$3 == \"%s\" { print $1 }'", name, mark);
	out = popen(command, "re");
	assert_non_null(out);
	assert_int_equal(fscanf(out, "%lx", &vaddr), 1);
	pclose(out);
	assert_int_equal(elf_vaddr_to_offset(object->elf, vaddr, &offset), 0);
	return offset;
}

static inline struct symbol_frame resolve(const struct object *object, u64 offset)
{
	struct symbol_frame frame = {.line_count = 99};

	assert_int_equal(symbolizer_resolve(object->symbolizer, object->elf, offset, &frame), 0);
	return frame;
}

static inline void assert_line(const struct symbol_line *line, const char *function, const char *file, u32 number,
			       u32 start)
{
	assert_string_equal(line->function, function);
	assert_string_equal(line->file, file);
	assert_int_equal(line->line, number);
	assert_int_equal(line->start_line, start);
	assert_ptr_equal(line->system_name, line->function);
}

static inline void assert_symbol_only(const struct symbol_frame *frame, const char *function)
{
	assert_int_equal(frame->line_count, 1);
	assert_string_equal(frame->lines[0].function, function);
	assert_null(frame->lines[0].file);
	assert_int_equal(frame->lines[0].line, 0);
}
