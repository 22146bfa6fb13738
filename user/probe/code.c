/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/code.h"

#include <stdlib.h>
#include <string.h>

#include "binary/elf_dynamic.h"
#include "binary/elf_symbols.h"

#define INSN_BYTES_MAX 15
#define PAGE_BYTES     4096
#define PAGES	       16 /* kept of a file: functions and the PLT lie apart */

struct page {
	u64 offset;
	size_t size; /* 0: not read yet */
	u8 bytes[PAGE_BYTES + INSN_BYTES_MAX];
};

struct code {
	struct elf *elf;
	const struct elf_dynamic *dynamic;
	struct symbol_table *symbols;
	csh decoder;
	cs_insn *insn;
	struct page pages[PAGES];
};

struct code *code_new(struct elf *elf, const struct elf_dynamic *dynamic)
{
	struct code *code = calloc(1, sizeof(*code));

	if (!code)
		return NULL;
	code->elf = elf;
	code->dynamic = dynamic;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &code->decoder) == CS_ERR_OK) {
		cs_option(code->decoder, CS_OPT_DETAIL, CS_OPT_ON);
		code->insn = cs_malloc(code->decoder);
	}
	if (code->insn && !symbol_table_new(elf, NULL, &code->symbols))
		return code;
	code_free(code);
	return NULL;
}

void code_free(struct code *code)
{
	if (!code)
		return;
	if (code->insn)
		cs_free(code->insn, 1);
	if (code->decoder)
		cs_close(&code->decoder);
	symbol_table_free(code->symbols);
	free(code);
}

static const struct page *page_at(struct code *code, u64 offset)
{
	struct page *page = &code->pages[offset / PAGE_BYTES % PAGES];
	ssize_t length;

	offset -= offset % PAGE_BYTES;
	if (page->size && page->offset == offset)
		return page;
	length = elf_read(code->elf, offset, page->bytes, sizeof(page->bytes));
	page->offset = offset;
	page->size = length > 0 ? (size_t)length : 0;
	return page;
}

const cs_insn *code_at(struct code *code, u64 offset)
{
	const struct page *page = page_at(code, offset);
	size_t at = offset % PAGE_BYTES, size;
	const u8 *bytes = page->bytes + at;
	u64 address = offset;

	if (at >= page->size)
		return NULL;
	size = page->size - at;
	return cs_disasm_iter(code->decoder, &bytes, &size, &address, code->insn) ? code->insn : NULL;
}

static const char *name_at(const struct code *code, u64 offset)
{
	u64 start;
	const char *name = symbol_table_find(code->symbols, offset, &start);

	return name && start == offset ? name : NULL;
}

u64 code_size(const struct code *code, u64 offset)
{
	return symbol_table_size(code->symbols, offset);
}

static bool is_marker(struct code *code, u64 offset)
{
	const cs_insn *insn = code_at(code, offset);

	return insn && insn->id == X86_INS_ENDBR64;
}

bool code_begins(struct code *code, u64 offset)
{
	return name_at(code, offset) || is_marker(code, offset);
}

/* The operand of a branch through memory at a known address, which the loader fills. */
static bool find_memory(const struct code *code, const cs_insn *insn, struct code_place *ret_place)
{
	const cs_x86_op *operand = &insn->detail->x86.operands[0];
	u64 vaddr, target;

	if (!code->dynamic || insn->detail->x86.op_count != 1 || operand->type != X86_OP_MEM ||
	    operand->mem.base != X86_REG_RIP || operand->mem.index != X86_REG_INVALID ||
	    elf_offset_to_vaddr(code->elf, insn->address, &vaddr))
		return false;
	vaddr += insn->size + (u64)operand->mem.disp;
	if (elf_dynamic_slot(code->dynamic, vaddr, &ret_place->name, &target))
		return false;
	if (!target || elf_vaddr_to_offset(code->elf, target, &ret_place->offset))
		ret_place->offset = 0;
	return true;
}

/* What is at `offset` may be an entry of the PLT: maybe endbr64, maybe `bnd`, and a jump through a slot. */
static void find_direct(struct code *code, u64 offset, struct code_place *ret_place)
{
	const cs_insn *insn = code_at(code, is_marker(code, offset) ? offset + 4 : offset);

	if (insn && insn->id == X86_INS_JMP && find_memory(code, insn, ret_place))
		return;
	*ret_place = (struct code_place){offset, name_at(code, offset)};
}

bool code_target(struct code *code, const cs_insn *insn, struct code_place *ret_place)
{
	const cs_x86 *x86 = &insn->detail->x86;

	*ret_place = (struct code_place){0};
	if (x86->op_count != 1 || x86->operands[0].type != X86_OP_IMM)
		return find_memory(code, insn, ret_place);
	find_direct(code, (u64)x86->operands[0].imm, ret_place);
	return true;
}

int code_writes(const struct code *code, const cs_insn *insn, cs_regs written)
{
	u8 read_count, count;
	cs_regs reads;

	if (cs_regs_access(code->decoder, insn, reads, &read_count, written, &count) != CS_ERR_OK)
		return -1;
	return count;
}

bool code_writes_result(const struct code *code, const cs_insn *insn)
{
	cs_regs written = {0};
	int count = code_writes(code, insn, written);

	for (int i = 0; i < count; i++)
		if (written[i] == X86_REG_RAX || written[i] == X86_REG_EAX || written[i] == X86_REG_AX ||
		    written[i] == X86_REG_AL || written[i] == X86_REG_AH)
			return true;
	return count < 0;
}
