/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/pymalloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <capstone/capstone.h>

#include "unwind/cfi_entries.h"

#define FUNCTION_BYTES_MAX 8192
#define PADDING_MAX	   11

/* struct debug_alloc_api_t: the letter, the context, and the functions. */
#define DEBUG_WORDS   6
#define DEBUG_DOMAINS 3

/* In the tables. */
enum {
	MALLOC,
	REALLOC = 2,
};

struct search {
	const struct elf *elf;
	struct pymalloc *found;
	u64 debug; /* virtual address of the debug hooks' table; 0: not found yet */
};

static bool is_code(const struct elf *elf, u64 vaddr)
{
	u64 offset;

	return vaddr && !elf_vaddr_to_offset(elf, vaddr, &offset);
}

/* A context that is NULL, and functions that differ. */
static bool is_table(const struct elf *elf, const u64 *words)
{
	if (words[0])
		return false;
	for (unsigned int i = 1; i <= PYMALLOC_FUNCTIONS; i++) {
		for (unsigned int j = 1; j < i; j++)
			if (words[j] == words[i])
				return false;
		if (!is_code(elf, words[i]))
			return false;
	}
	return true;
}

static bool same_functions(const u64 *one, const u64 *other)
{
	return !memcmp(one + 1, other + 1, PYMALLOC_FUNCTIONS * sizeof(*one));
}

static int find_debug(u64 vaddr, const u64 *words, u64 count, void *arg)
{
	struct search *search = arg;

	for (u64 i = 0; i + DEBUG_WORDS * DEBUG_DOMAINS <= count; i++) {
		const u64 *raw = words + i, *mem = raw + DEBUG_WORDS, *obj = mem + DEBUG_WORDS;

		if (raw[0] != 'r' || mem[0] != 'm' || obj[0] != 'o' || !is_table(search->elf, raw + 1) ||
		    !is_table(search->elf, mem + 1) || same_functions(raw + 1, mem + 1) || raw[1] != obj[1] ||
		    !same_functions(mem + 1, obj + 1))
			continue;
		memcpy(search->found->functions, mem + 2, sizeof(search->found->functions));
		search->debug = vaddr + i * sizeof(u64);
		return 1;
	}
	return 0;
}

static int find_tables(u64 vaddr, const u64 *words, u64 count, void *arg)
{
	struct search *search = arg;
	struct pymalloc *found = search->found;

	for (u64 i = 1; i + PYMALLOC_FUNCTIONS <= count; i++) {
		bool debug = i > 1 && (words[i - 2] == 'r' || words[i - 2] == 'm' || words[i - 2] == 'o');

		if (words[i - 1] || debug || memcmp(words + i, found->functions, sizeof(found->functions)) != 0)
			continue;
		if (found->table_count == PYMALLOC_TABLES_MAX)
			return -E2BIG;
		found->tables[found->table_count++] = vaddr + i * sizeof(u64);
	}
	return 0;
}

/* --- the other way in --- */

/*
 * The instructions that assemblers fill up with and that do nothing, by their length: Intel's manual, "NOP", table 4-12, and 66 2e before the longest.
 * Where one ends at the function's first byte, it may be run on its own, whatever those bytes belong to.
 */
static unsigned int padding_before(const u8 *end, size_t available)
{
	static const struct {
		u8 length, bytes[PADDING_MAX];
	} nops[] = {
		{1, {0x90}},
		{2, {0x66, 0x90}},
		{3, {0x0f, 0x1f, 0x00}},
		{4, {0x0f, 0x1f, 0x40, 0x00}},
		{5, {0x0f, 0x1f, 0x44, 0x00, 0x00}},
		{6, {0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00}},
		{7, {0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00}},
		{8, {0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00}},
		{9, {0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00}},
		{10, {0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00}},
		{11, {0x66, 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00}},
	};

	for (size_t i = 0; i < sizeof(nops) / sizeof(*nops); i++)
		if (nops[i].length <= available && !memcmp(end - nops[i].length, nops[i].bytes, nops[i].length))
			return nops[i].length;
	return 0;
}

static int find_entries(struct search *search)
{
	struct pymalloc *found = search->found;

	for (unsigned int i = 0; i < PYMALLOC_FUNCTIONS; i++) {
		u8 before[PADDING_MAX];
		u64 offset;
		ssize_t length;
		unsigned int padding;

		if (elf_vaddr_to_offset(search->elf, found->functions[i], &offset) || offset < sizeof(before))
			continue;
		length = elf_read(search->elf, offset - sizeof(before), before, sizeof(before));
		if (length < 0)
			return (int)length;
		padding = length == sizeof(before) ? padding_before(before + sizeof(before), sizeof(before)) : 0;
		found->entries[i] = padding ? found->functions[i] - padding : 0;
		found->entry_is_nop[i] = padding == 1 || padding == 2;
	}
	return 0;
}

/* --- how long they are --- */

/* What is code of another function may be entered, but a breakpoint there might be in the midst of an instruction. */
static void look_at_function(struct pymalloc *found, unsigned int number, const struct cfi_function *function)
{
	if (function->address == found->functions[number])
		found->sizes[number] = function->size;
	if (found->entries[number] - function->address < function->size)
		found->entry_is_nop[number] = false;
}

static void find_sizes(struct pymalloc *found, const struct cfi_entries *entries)
{
	for (u32 i = 0; i < entries->function_count; i++)
		for (unsigned int j = 0; j < PYMALLOC_FUNCTIONS; j++)
			look_at_function(found, j, &entries->functions[i]);
}

static int measure(struct search *search)
{
	struct cfi_section sections[CFI_SECTION_COUNT];
	struct cfi_entries entries = {0};
	int err = cfi_sections_read(search->elf, sections);

	if (err)
		return err == -ENODATA ? -ENOENT : err;
	err = cfi_entries_read(search->elf, sections, &entries);
	if (!err)
		find_sizes(search->found, &entries);
	cfi_entries_release(&entries);
	cfi_sections_release(sections);
	for (unsigned int i = 0; i < PYMALLOC_FUNCTIONS && !err; i++)
		if (!search->found->sizes[i] || search->found->sizes[i] > FUNCTION_BYTES_MAX)
			err = -ENOENT;
	return err;
}

/* --- how realloc hands calls on --- */

/* A jump out of the function's code, or through a pointer. What it does to the stack before, it has undone, or it is one to a part of its own. */
static bool leaves(const struct search *search, const cs_insn *insn)
{
	const struct pymalloc *found = search->found;
	const cs_x86_op *operand = &insn->detail->x86.operands[0];

	return insn->id == X86_INS_JMP &&
	       (operand->type != X86_OP_IMM || (u64)operand->imm - found->functions[REALLOC] >= found->sizes[REALLOC]);
}

static bool leads_to_malloc(const struct search *search, const cs_insn *insn)
{
	const cs_x86_op *operand = &insn->detail->x86.operands[0];

	return operand->type == X86_OP_IMM && (u64)operand->imm == search->found->functions[MALLOC];
}

static int scan_jumps(struct search *search, csh decoder, cs_insn *insn, const u8 *code)
{
	struct pymalloc *found = search->found;
	size_t left = found->sizes[REALLOC];
	u64 address = found->functions[REALLOC];

	while (left && cs_disasm_iter(decoder, &code, &left, &address, insn)) {
		if (!leaves(search, insn))
			continue;
		if (leads_to_malloc(search, insn) && !found->malloc_jump)
			found->malloc_jump = insn->address;
		else if (found->jump_count == PYMALLOC_JUMPS_MAX)
			return -ENOENT;
		else
			found->jumps[found->jump_count++] = insn->address;
	}
	return left ? -ENOENT : 0;
}

static int decode_jumps(struct search *search, const u8 *code)
{
	cs_insn *insn;
	csh decoder;
	int err = -ENOMEM;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &decoder) != CS_ERR_OK)
		return -ENOMEM;
	cs_option(decoder, CS_OPT_DETAIL, CS_OPT_ON);
	insn = cs_malloc(decoder);
	if (insn) {
		err = scan_jumps(search, decoder, insn, code);
		cs_free(insn, 1);
	}
	cs_close(&decoder);
	return err;
}

static int find_jumps(struct search *search)
{
	u64 offset;
	u8 *code;
	int err = elf_vaddr_to_offset(search->elf, search->found->functions[REALLOC], &offset);

	if (!err)
		err = elf_read_bytes(search->elf, offset, search->found->sizes[REALLOC], FUNCTION_BYTES_MAX, &code);
	if (err)
		return err;
	err = decode_jumps(search, code);
	free(code);
	return err;
}

int pymalloc_find(const struct elf *elf, const struct elf_dynamic *dynamic, struct pymalloc *ret_pymalloc)
{
	struct search search = {.elf = elf, .found = ret_pymalloc};
	int err;

	*ret_pymalloc = (struct pymalloc){0};
	err = elf_data_for_each(elf, dynamic, find_debug, &search);
	if (err >= 0)
		err = search.debug ? elf_data_for_each(elf, dynamic, find_tables, &search) : -ENOENT;
	if (!err)
		err = ret_pymalloc->table_count < 2 ? -ENOENT : find_entries(&search);
	if (!err)
		err = measure(&search);
	return err ? err : find_jumps(&search);
}
