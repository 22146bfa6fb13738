/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "interpreter.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

#include "binary/elf.h"
#include "child.h"
#include "probe/plan.h"

#define TYPE_AT 16 /* in the file's header */
#define MOVED	3  /* ET_DYN */

/* By how much it is moved in memory. */
static u64 moved_by(pid_t pid, const struct elf *elf)
{
	FILE *maps = fopen(format("/proc/%d/maps", pid), "re");
	unsigned long long first;
	unsigned short type = 0;

	assert_non_null(maps);
	assert_int_equal(elf_read(elf, TYPE_AT, &type, sizeof(type)), sizeof(type));
	assert_int_equal(fscanf(maps, "%llx", &first), 1);
	fclose(maps);
	return type == MOVED ? first : 0;
}

void interpreter_tables(pid_t pid, u64 ret_words[INTERPRETER_POINTERS])
{
	int memory = open(format("/proc/%d/mem", pid), O_RDONLY | O_CLOEXEC);
	struct elf *elf;
	struct plan plan;

	assert_true(memory >= 0);
	assert_int_equal(elf_open(open(format("/proc/%d/exe", pid), O_RDONLY | O_CLOEXEC), INTERPRETER, &elf), 0);
	assert_int_equal(plan_make(elf, NULL, &plan), 0);
	assert_int_equal(plan.pymalloc.table_count, 2);
	for (u32 i = 0; i < 2; i++)
		assert_int_equal(pread(memory, ret_words + i * PYMALLOC_FUNCTIONS, PYMALLOC_FUNCTIONS * sizeof(u64),
				       (off_t)(plan.pymalloc.tables[i] + moved_by(pid, elf))),
				 PYMALLOC_FUNCTIONS * sizeof(u64));
	elf_free(elf);
	close(memory);
}
