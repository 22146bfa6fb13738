/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of a file: the functions that its call frame information describes (cfi_entries.c), what their programs say
 * (cfi_program.c), as rules (cfi_rule.c), each once for all files.
 *
 * Time is linear in the sections' size but for one sort: every entry is decoded twice, every program run once.
 */
#include "unwind/compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "unwind/cfi_entries.h"
#include "unwind/cfi_program.h"
#include "unwind/cfi_sections.h"
#include "unwind/stack_switches.h"

#define PAGE_SIZE  (1ull << UNWIND_PAGE_SHIFT)
#define PAGES_MAX  (CFI_TABLE_WORDS_MAX / 2) /* each has a row at least */
#define SLOT_COUNT (2u * UNWIND_RULES_MAX)

/* --- rules --- */

struct cfi_rules {
	u32 count;
	u32 slots[SLOT_COUNT]; /* open addressing; 0: free, for rule 0 is never looked for */
	struct unwind_rule rules[UNWIND_RULES_MAX];
};

struct cfi_rules *cfi_rules_new(void)
{
	struct cfi_rules *rules = calloc(1, sizeof(*rules));

	if (rules)
		rules->count = 1;
	return rules;
}

void cfi_rules_free(struct cfi_rules *rules)
{
	free(rules);
}

const struct unwind_rule *cfi_rules_get(const struct cfi_rules *rules, u32 *ret_count)
{
	*ret_count = rules->count;
	return rules->rules;
}

static int intern(struct cfi_rules *rules, const struct unwind_rule *rule, u32 *ret_index)
{
	u64 value[2];
	u32 slot;

	memcpy(value, rule, sizeof(value));
	*ret_index = 0;
	if (rule->cfa == CFA_UNKNOWN)
		return 0;
	slot = (u32)((value[0] * 0x9e3779b97f4a7c15ull ^ value[1]) * 0xff51afd7ed558ccdull >> 32) % SLOT_COUNT;
	for (; rules->slots[slot]; slot = (slot + 1) % SLOT_COUNT) {
		if (memcmp(&rules->rules[rules->slots[slot]], rule, sizeof(*rule)) == 0) {
			*ret_index = rules->slots[slot];
			return 0;
		}
	}
	if (rules->count == UNWIND_RULES_MAX)
		return -ENOSPC;
	*ret_index = rules->slots[slot] = rules->count;
	rules->rules[rules->count++] = *rule;
	return 0;
}

/* --- the table --- */

struct builder {
	struct cfi_rules *rules;
	struct cfi_table table;
	u32 page_count, pages_begun;
	u32 rule;   /* in force behind the last row */
	u64 offset; /* of the function being added */
	struct stack_switches switches;
};

static u32 row(u64 offset, u32 rule)
{
	return (u32)(offset & (PAGE_SIZE - 1)) | rule << 16;
}

static int push(struct builder *builder, u32 word)
{
	struct cfi_table *table = &builder->table;

	if (table->count == CFI_TABLE_WORDS_MAX)
		return -EFBIG;
	if (array_grow(&table->words, table->count, 1))
		return -ENOMEM;
	table->words[table->count++] = word;
	return 0;
}

static int begin_pages(struct builder *builder, u64 last)
{
	int err = 0;

	for (; !err && builder->pages_begun <= last; builder->pages_begun++) {
		builder->table.words[1 + builder->pages_begun] = builder->table.count;
		err = push(builder, row(0, builder->rule));
	}
	return err;
}

/* `rule` from `offset` on. Offsets ascend; of two rows at one, the later counts. */
static int add_row(struct builder *builder, u64 offset, u32 rule)
{
	u64 page = offset >> UNWIND_PAGE_SHIFT;
	u32 *words, last;
	int err;

	if (page >= builder->page_count)
		return 0;
	err = begin_pages(builder, page);
	if (err || rule == builder->rule)
		return err;
	builder->rule = rule;
	words = builder->table.words;
	last = builder->table.count - 1;
	if ((words[last] & (PAGE_SIZE - 1)) != (offset & (PAGE_SIZE - 1)))
		return push(builder, row(offset, rule));
	words[last] = row(offset, rule);
	if (last > words[1 + page] && words[last - 1] >> 16 == rule)
		builder->table.count--;
	return 0;
}

static int add_rule(void *arg, u64 distance, const struct unwind_rule *rule, bool is_lost)
{
	struct builder *builder = arg;
	u32 index;

	if (intern(builder->rules, rule, &index) != 0)
		is_lost = true;
	builder->table.lost_count += is_lost;
	return add_row(builder, builder->offset + distance, index);
}

static int add_function(struct builder *builder, const struct cfi_function *function, const struct cfi_common *common)
{
	const struct unwind_rule *rule = stack_switches_rule(&builder->switches, function->offset);

	builder->offset = function->offset;
	return rule ? add_rule(builder, 0, rule, false) : cfi_function_run(function, common, add_rule, builder);
}

static int add_functions(struct builder *builder, const struct cfi_entries *list)
{
	int err = 0;

	for (u32 i = 0; !err && i < list->function_count; i++) {
		const struct cfi_function *function = &list->functions[i];

		err = add_function(builder, function, &list->commons[function->common]);
		/* What follows may be code that nothing is known of. Where a function does, its first row replaces
		 * this. */
		if (!err)
			err = add_row(builder, function->offset + function->size, 0);
	}
	return err;
}

static int build(struct builder *builder, const struct cfi_entries *list)
{
	const struct cfi_function *last;
	u64 page_count;
	int err;

	if (list->function_count == 0)
		return -ENODATA;
	last = &list->functions[list->function_count - 1];
	page_count = ((last->offset + last->size - 1) >> UNWIND_PAGE_SHIFT) + 1;
	if (page_count > PAGES_MAX)
		return -EFBIG;
	builder->page_count = (u32)page_count;
	err = push(builder, builder->page_count);
	for (u64 i = 0; !err && i <= page_count; i++)
		err = push(builder, 0);
	if (!err)
		err = add_functions(builder, list);
	if (!err)
		err = begin_pages(builder, page_count - 1);
	if (!err) {
		builder->table.words[1 + page_count] = builder->table.count;
		builder->table.row_count = builder->table.count - (page_count + 2);
	}
	return err;
}

/* As libc has for signals, and OCaml 5 where it changes stacks: few files, so that few are searched for what changes them. */
static bool has_signal_frames(const struct cfi_entries *list)
{
	for (u32 i = 0; i < list->function_count; i++)
		if (list->commons[list->functions[i].common].is_signal)
			return true;
	return false;
}

/* A table may stay for long. */
static void give_back_room(struct cfi_table *table)
{
	u32 *words = reallocarray(table->words, table->count, sizeof(*words));

	if (words)
		table->words = words;
}

int cfi_compile(struct elf *elf, struct cfi_rules *rules, struct cfi_table *ret_table)
{
	struct cfi_section sections[CFI_SECTION_COUNT];
	struct builder builder = {.rules = rules};
	struct cfi_entries list;
	int err;

	if (!elf_is_64bit_x86(elf))
		return -ENODATA;
	err = cfi_sections_read(elf, sections);
	if (err)
		return err;
	err = cfi_entries_read(elf, sections, &list);
	if (!err && (has_signal_frames(&list) || stack_switches_is_go(elf)))
		stack_switches_read(elf, &builder.switches);
	if (!err)
		err = build(&builder, &list);
	cfi_entries_release(&list);
	cfi_sections_release(sections);
	if (err) {
		cfi_table_release(&builder.table);
		return err;
	}
	give_back_room(&builder.table);
	*ret_table = builder.table;
	return 0;
}

void cfi_table_release(struct cfi_table *table)
{
	free(table->words);
	*table = (struct cfi_table){0};
}

int cfi_lookup(const struct cfi_table *table, u64 file_offset, u32 *ret_rule)
{
	u64 page = file_offset >> UNWIND_PAGE_SHIFT;
	u32 low, high;

	if (page >= table->words[0])
		return -ENOENT;
	/* The first row of a page is at its offset 0, so that `low` is always a row that begins at or before. */
	low = table->words[1 + page];
	high = table->words[2 + page];
	while (high - low > 1) {
		u32 middle = low + (high - low) / 2;

		if ((table->words[middle] & 0xffff) <= (file_offset & 0xffff))
			low = middle;
		else
			high = middle;
	}
	*ret_rule = table->words[low] >> 16;
	return 0;
}
