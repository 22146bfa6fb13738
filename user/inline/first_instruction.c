/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/first_instruction.h"

#include <string.h>

/* rax, r10 and r11 hold nothing when a function is called. */
static bool writes_scratch(const cs_x86_op *operand)
{
	if (operand->type != X86_OP_REG)
		return false;
	switch (operand->reg) {
	case X86_REG_RAX:
	case X86_REG_EAX:
	case X86_REG_R10:
	case X86_REG_R10D:
	case X86_REG_R11:
	case X86_REG_R11D:
		return true;
	default:
		return false;
	}
}

/*
 * The number of the argument in the register, from the fourth on; 0: it holds none of those. The kinds of calls have three at most;
 * and a function whose first instruction overwrites one has no such argument.
 */
static unsigned int late_argument(x86_reg reg)
{
	static const x86_reg names[][5] = {
		{X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH},
		{X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B},
		{X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B},
	};

	for (unsigned int i = 0; i < 3 && reg != X86_REG_INVALID; i++)
		for (unsigned int j = 0; j < 5; j++)
			if (names[i][j] == reg)
				return i + 4;
	return 0;
}

static bool reads(const cs_x86_op *operand, unsigned int argument)
{
	if (operand->type == X86_OP_REG)
		return late_argument(operand->reg) == argument;
	return operand->type == X86_OP_MEM &&
	       (late_argument(operand->mem.base) == argument || late_argument(operand->mem.index) == argument);
}

/* It does the same once more, as it reads nothing that it has written. */
static bool writes_late_argument(const cs_insn *insn)
{
	const cs_x86_op *operands = insn->detail->x86.operands;
	unsigned int argument;

	if (insn->detail->x86.op_count != 2 || operands[0].type != X86_OP_REG || operands[0].size < sizeof(u32))
		return false;
	argument = late_argument(operands[0].reg);
	if (insn->id == X86_INS_XOR)
		return argument && operands[1].type == X86_OP_REG && operands[1].reg == operands[0].reg;
	return argument && !reads(&operands[1], argument);
}

/* What was done last is taken back first. */
static void put_undo(struct moved_code *moved, const u8 *bytes, size_t size)
{
	memmove(moved->undo + size, moved->undo, moved->undo_size);
	memcpy(moved->undo, bytes, size);
	moved->undo_size += (u8)size;
}

/* pop of the register that was pushed: the opcode is 8 more. */
static bool undo_push(const cs_insn *insn, struct moved_code *moved)
{
	const u8 last = insn->bytes[insn->size - 1];
	u8 pop[2];

	if (insn->size > 2 || (last & 0xf8) != 0x50 || (insn->size == 2 && insn->bytes[0] != 0x41))
		return false;
	memcpy(pop, insn->bytes, insn->size);
	pop[insn->size - 1] = last + 8;
	put_undo(moved, pop, insn->size);
	return true;
}

/* lea $(%rsp), %rsp */
static bool undo_room(const cs_insn *insn, struct moved_code *moved)
{
	u8 lea[8] = {0x48, 0x8d, 0xa4, 0x24};
	const cs_x86 *x86 = &insn->detail->x86;
	s32 room = (s32)x86->operands[1].imm;

	if (x86->op_count != 2 || x86->operands[0].type != X86_OP_REG || x86->operands[0].reg != X86_REG_RSP ||
	    x86->operands[1].type != X86_OP_IMM)
		return false;
	memcpy(lea + sizeof(lea) - sizeof(room), &room, sizeof(room));
	put_undo(moved, lea, sizeof(lea));
	return true;
}

bool first_instruction_undo(const cs_insn *insn, struct moved_code *moved)
{
	const cs_x86 *x86 = &insn->detail->x86;

	switch (insn->id) {
	case X86_INS_TEST:
	case X86_INS_CMP:
	case X86_INS_NOP:
		return true;
	case X86_INS_MOV:
	case X86_INS_MOVABS:
	case X86_INS_LEA:
	case X86_INS_XOR:
		return (x86->op_count && writes_scratch(&x86->operands[0])) || writes_late_argument(insn);
	case X86_INS_PUSH:
		return undo_push(insn, moved);
	case X86_INS_SUB:
		return undo_room(insn, moved);
	default:
		return false;
	}
}
