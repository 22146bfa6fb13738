/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Files to compile, and what their tables say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "unwind/compile.h"

static inline struct elf *must_open(const char *path)
{
	struct elf *elf;

	assert_int_equal(elf_open(open(path, O_RDONLY | O_CLOEXEC), path, &elf), 0);
	return elf;
}

static inline struct unwind_rule rule_at(const struct cfi_rules *rules, const struct cfi_table *table, u64 offset)
{
	u32 count, index = 0;
	const struct unwind_rule *all = cfi_rules_get(rules, &count);

	if (cfi_lookup(table, offset, &index) != 0)
		return (struct unwind_rule){0};
	assert_true(index < count);
	return all[index];
}
