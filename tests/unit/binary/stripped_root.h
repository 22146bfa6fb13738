/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Stripped programs, which the compiler and binutils make below a directory that stands for a process's root; and the names
 * that the symbolizer finds for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit/system/scratch.h"
#include "shell.h"

#include "binary/elf.h"
#include "system/root_fs.h"
#include "binary/symbolizer.h"

static struct root_fs root;

/* whole.so with everything, stripped.so without DWARF and .symtab, names.debug with only these. */
static inline int setup(void **state)
{
	char source[PATH_MAX];

	if (!realpath(SOURCE_DIR, source) || scratch_setup(state))
		return -1;
	run("gcc -g -O2 -shared -fPIC -Wl,--build-id -o whole.so %s/tests/fixture/inlined.c && "
	    "objcopy --only-keep-debug whole.so names.debug && strip -o stripped.so whole.so && mkdir -p app "
	    "usr/lib/debug",
	    source);
	root = (struct root_fs){.fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC)};
	return root.fd < 0 ? -1 : 0;
}

static inline int teardown(void **state)
{
	root_fs_close(&root);
	return scratch_teardown(state);
}

/* Open a file below the root as the process would call it. */
static inline struct elf *open_elf(const char *path)
{
	int fd = open(path + 1, O_RDONLY | O_CLOEXEC);
	struct elf *elf;

	assert_true(fd >= 0);
	assert_int_equal(elf_open(fd, path, &elf), 0);
	return elf;
}

static inline u64 mark_offset(const char *mark)
{
	struct elf *whole = open_elf("/whole.so");
	unsigned long vaddr = 0;
	char command[256];
	u64 offset;
	FILE *out;

	snprintf(command, sizeof(command), "nm whole.so | awk '$3 == \"%s\" { print $1 }'", mark);
	out = popen(command, "re");
	assert_non_null(out);
	assert_int_equal(fscanf(out, "%lx", &vaddr), 1);
	pclose(out);
	assert_int_equal(elf_vaddr_to_offset(whole, vaddr, &offset), 0);
	elf_free(whole);
	return offset;
}

struct found {
	unsigned int count;
	char function[64];
	bool has_file;
};

/* What the symbolizer says of a label in `path`. */
static inline struct found look_up(const char *path, const char *mark)
{
	struct symbolizer *symbolizer = symbolizer_new();
	struct elf *elf = open_elf(path);
	struct symbol_frame frame;
	struct found found = {0};

	assert_non_null(symbolizer);
	symbolizer_set_root(symbolizer, &root);
	assert_int_equal(symbolizer_resolve(symbolizer, elf, mark_offset(mark), &frame), 0);
	found.count = frame.line_count;
	if (frame.line_count) {
		snprintf(found.function, sizeof(found.function), "%s", frame.lines[0].function);
		found.has_file = frame.lines[0].file != NULL;
	}
	symbolizer_free(symbolizer);
	elf_free(elf);
	return found;
}

static inline void assert_all_lines(const char *path)
{
	struct found found = look_up(path, "mark_inner");

	assert_int_equal(found.count, 3);
	assert_string_equal(found.function, "inner");
	assert_true(found.has_file);
}

static inline void assert_nothing(const char *path)
{
	assert_int_equal(look_up(path, "mark_hidden").count, 0);
}
