/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/insn_return.h"

#include <errno.h>
#include <string.h>

#include <capstone/capstone.h>

#define NOTRACK 0x3e

/* A jump whose register the instruction before has added up: base of the table plus its entry. */
struct sum {
	unsigned int reg; /* X86_REG_INVALID: no such instruction is before */
};

static bool is_indirect(const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;

	return insn->id == X86_INS_LJMP ||
	       (insn->id == X86_INS_JMP && x86->op_count == 1 && x86->operands[0].type != X86_OP_IMM);
}

static bool is_switch(const cs_insn *insn, const struct sum *sum)
{
	const cs_x86_op *operand = &insn->detail->x86.operands[0];

	if (insn->id == X86_INS_LJMP)
		return false;
	if (insn->bytes[0] == NOTRACK)
		return true;
	if (operand->type == X86_OP_REG)
		return operand->reg == sum->reg;
	return operand->mem.base == X86_REG_INVALID && operand->mem.index != X86_REG_INVALID && operand->mem.scale == 8;
}

static void note_sum(const cs_insn *insn, struct sum *sum)
{
	const cs_x86 *x86 = &insn->detail->x86;

	sum->reg = X86_REG_INVALID;
	if (insn->id == X86_INS_ADD && x86->op_count == 2 && x86->operands[0].type == X86_OP_REG)
		sum->reg = x86->operands[0].reg;
}

static void note_return(struct insn_returns *returns, u64 offset)
{
	if (returns->count == INSN_RETURNS_MAX)
		returns->unseen = "it returns at too many places";
	else
		returns->at[returns->count++] = offset;
}

static void note_leave(struct insn_returns *returns, long long target)
{
	for (unsigned int i = 0; i < returns->leave_count; i++)
		if (returns->leaves[i] == target)
			return;
	if (returns->leave_count == INSN_LEAVES_MAX)
		returns->unseen = "it jumps to too many places";
	else
		returns->leaves[returns->leave_count++] = target;
}

static void look(csh decoder, const cs_insn *insn, size_t size, const struct sum *sum, struct insn_returns *returns)
{
	const cs_x86 *x86 = &insn->detail->x86;

	if (insn->id == X86_INS_RET)
		note_return(returns, insn->address);
	else if (cs_insn_group(decoder, insn, X86_GRP_RET) || cs_insn_group(decoder, insn, X86_GRP_IRET))
		returns->unseen = "it returns as no function does";
	else if (is_indirect(insn) && !is_switch(insn, sum))
		returns->unseen = "it jumps through a pointer";
	else if (cs_insn_group(decoder, insn, X86_GRP_BRANCH_RELATIVE) && insn->id != X86_INS_CALL &&
		 x86->op_count == 1 && x86->operands[0].type == X86_OP_IMM &&
		 (x86->operands[0].imm < 0 || (u64)x86->operands[0].imm >= size))
		note_leave(returns, x86->operands[0].imm);
}

static void scan(csh decoder, cs_insn *insn, const u8 *code, size_t size, struct insn_returns *returns)
{
	struct sum sum = {X86_REG_INVALID};
	size_t left = size;
	u64 address = 0;

	while (left > 0 && !returns->unseen) {
		if (!cs_disasm_iter(decoder, &code, &left, &address, insn)) {
			returns->unseen = "not all of its code can be decoded";
			return;
		}
		look(decoder, insn, size, &sum, returns);
		note_sum(insn, &sum);
	}
}

int insn_return_scan(const u8 *code, size_t size, struct insn_returns *ret_returns)
{
	cs_insn *insn;
	csh decoder;

	memset(ret_returns, 0, sizeof(*ret_returns));
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &decoder) != CS_ERR_OK)
		return -ENOMEM;
	cs_option(decoder, CS_OPT_DETAIL, CS_OPT_ON);
	insn = cs_malloc(decoder);
	if (insn) {
		scan(decoder, insn, code, size, ret_returns);
		cs_free(insn, 1);
	}
	cs_close(&decoder);
	return insn ? 0 : -ENOMEM;
}
