/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Unwind tables and mappings by hand, in the stub's maps. Include after the programs. */

struct table_row {
	u64 offset; /* in the file */
	u32 rule;
};

static STUB_UNUSED void table_word(u32 index, u32 word)
{
	u32 pair = index / 2;

	((struct unwind_words *)bpf_map_lookup_elem(&unwind_rows, &pair))->word[index % 2] = word;
}

static STUB_UNUSED void table_rule(u32 number, struct unwind_rule rule)
{
	bpf_map_update_elem(&unwind_rules, &number, &rule, BPF_ANY);
}

/* A table at `index` of `pages` pages: ascending rows, the first one at offset 0. */
static STUB_UNUSED void table_write(u32 index, u32 pages, const struct table_row *rows, u32 count)
{
	u32 next = 0, rule = 0, at = pages + 2, page_bytes = 1 << UNWIND_PAGE_SHIFT;

	table_word(index, pages);
	for (u32 page = 0; page < pages; page++) {
		u64 start = (u64)page * page_bytes;

		table_word(index + 1 + page, at);
		if (next == count || rows[next].offset != start)
			table_word(index + at++, rule << 16);
		for (; next < count && rows[next].offset < start + page_bytes; next++) {
			rule = rows[next].rule;
			table_word(index + at++, (u32)(rows[next].offset - start) | rule << 16);
		}
	}
	table_word(index + 1 + pages, at);
}

static STUB_UNUSED void table_map(u32 index, struct unwind_mapping mapping)
{
	bpf_map_update_elem(&unwind_mappings, &index, &mapping, BPF_ANY);
}

/*
 * One page of code at `start`, mapped for that process alone, in which every function has taken nothing but its return
 * address from the stack.
 */
static STUB_UNUSED void table_of_plain_code(struct scope *scope, u32 process, u64 start)
{
	static const struct table_row row = {.offset = 0, .rule = 1};

	table_rule(1, (struct unwind_rule){.cfa = CFA_SP, .offset = 8});
	table_write(1, 1, &row, 1);
	table_map(0, (struct unwind_mapping){.start = start, .end = start + (1 << UNWIND_PAGE_SHIFT), .table = 1});
	scope->mappings_process = process;
	scope->mappings = 1;
}
