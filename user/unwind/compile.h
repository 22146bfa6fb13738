/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * From the call frame information of a file (.eh_frame, and .debug_frame where that has nothing) to the table that
 * include/unwind.h describes. Files are hostile: whatever they say, a compilation ends, within bounds of time and
 * memory that follow from the file's size, in a table or in an error.
 */
#include "include/types.h"
#include "include/unwind.h"
#include "binary/elf.h"

/* A larger table is refused: the rows array of the programs holds all tables in this many words. */
#define CFI_TABLE_WORDS_MAX (4u << 20)

/*
 * The rules of all tables, each once; at most UNWIND_RULES_MAX. Rule 0 is CFA_UNKNOWN. A rule never changes its index,
 * and the array never moves. Not thread-safe: one thread compiles.
 */
struct cfi_rules;

struct cfi_rules *cfi_rules_new(void); /* NULL: no memory */
void cfi_rules_free(struct cfi_rules *rules);
const struct unwind_rule *cfi_rules_get(const struct cfi_rules *rules, u32 *ret_count);

struct cfi_table {
	u32 *words;
	u32 count;     /* of words */
	u64 row_count; /* words that are rows */
	u64 lost_count; /* rows that are CFA_UNKNOWN since unwind_rule cannot say their rule, or there were too many rules */
};

/*
 * Compile. `rules` grows; rows whose rule no longer fits there become rule 0. 0; -ENODATA: no call frame information,
 * or none that covers code of the file, or no x86-64 file; -EBADMSG: headers that cannot be; -EFBIG: more than
 * CFI_TABLE_WORDS_MAX; -ENOMEM; the errors of reading. *ret_table is only written on success; cfi_table_release it.
 */
int cfi_compile(struct elf *elf, struct cfi_rules *rules, struct cfi_table *ret_table);

void cfi_table_release(struct cfi_table *table);

/*
 * The rule in force at a file offset, found as the programs find it. -ENOENT when the table ends before the offset
 * (as good as rule 0). For a return address, pass the address minus one.
 */
int cfi_lookup(const struct cfi_table *table, u64 file_offset, u32 *ret_rule);
