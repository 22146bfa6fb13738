/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/values.h"

#include <string.h>

static const struct value unknown = {VALUE_UNKNOWN, 0};

static struct value constant(s64 number)
{
	return (struct value){VALUE_CONSTANT, number};
}

/* --- registers --- */

#define REGISTER_NAMES 5
static const x86_reg register_names[VALUES_REGISTERS][REGISTER_NAMES] = {
	{X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH},
	{X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH},
	{X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH},
	{X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH},
	{X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL},
	{X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL},
	{X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL},
	{X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL},
	{X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B},
	{X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B},
	{X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B},
	{X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B},
	{X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B},
	{X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B},
	{X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B},
	{X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B},
};

/* The number of the register that `reg` is, or one of the first `names` parts of; -1: none. */
static int number_of(x86_reg reg, unsigned int names)
{
	for (int i = 0; i < VALUES_REGISTERS && reg != X86_REG_INVALID; i++)
		for (unsigned int j = 0; j < names; j++)
			if (reg == register_names[i][j])
				return i;
	return -1;
}

static struct value *register_of(struct values *values, x86_reg reg)
{
	int number = number_of(reg, 2);

	return number < 0 ? NULL : &values->registers[number];
}

struct value values_register(const struct values *values, x86_reg reg)
{
	int number = number_of(reg, 2);

	return number < 0 ? unknown : values->registers[number];
}

void values_set_register(struct values *values, x86_reg reg, struct value value)
{
	struct value *to = register_of(values, reg);

	if (to)
		*to = value;
}

/* --- the frame --- */

static struct value slot_get(const struct values *values, s64 place)
{
	for (u32 i = 0; i < values->slot_count; i++)
		if (values->slots[i].place == place)
			return values->slots[i].value;
	return unknown;
}

void values_set_slot(struct values *values, s64 place, struct value value)
{
	for (u32 i = 0; i < values->slot_count; i++)
		if (values->slots[i].place == place) {
			values->slots[i].value = value;
			return;
		}
	values->slots[values->slot_next] = (struct value_slot){place, value};
	values->slot_next = (values->slot_next + 1) % VALUES_SLOTS;
	values->slot_count += values->slot_count < VALUES_SLOTS;
}

/* --- values --- */

static struct value sum_of(struct value a, struct value b)
{
	if (a.kind == VALUE_CONSTANT && b.kind == VALUE_CONSTANT)
		return constant(a.number + b.number);
	if (a.kind == VALUE_FRAME && b.kind == VALUE_CONSTANT)
		return (struct value){VALUE_FRAME, a.number + b.number};
	if (a.kind == VALUE_ARGUMENT && b.kind == VALUE_ARGUMENT)
		return (struct value){VALUE_ARGUMENT, a.number | b.number};
	if ((a.kind == VALUE_ARGUMENT || a.kind == VALUE_RESULT) && b.kind == VALUE_CONSTANT)
		return a;
	if (a.kind == VALUE_CONSTANT && b.kind != VALUE_CONSTANT && b.kind != VALUE_UNKNOWN)
		return sum_of(b, a);
	return unknown;
}

static struct value negative(struct value value)
{
	return value.kind == VALUE_CONSTANT ? constant(-value.number) : unknown;
}

/* A number of things of a constant size is no size that was asked for; of a size that was passed too it is. */
static struct value product_of(struct value a, struct value b)
{
	if (a.kind == VALUE_ARGUMENT && b.kind == VALUE_ARGUMENT)
		return (struct value){VALUE_ARGUMENT, a.number | b.number};
	return unknown;
}

/* What matters in a value that is one or the other. */
static struct value either(struct value a, struct value b)
{
	if (a.kind == VALUE_ARGUMENT && b.kind == VALUE_ARGUMENT)
		return (struct value){VALUE_ARGUMENT, a.number | b.number};
	if (a.kind == VALUE_RESULT || a.kind == VALUE_ARGUMENT)
		return a;
	return b;
}

static struct value address_of(struct values *values, const x86_op_mem *memory)
{
	struct value sum = constant(memory->disp);

	if (memory->segment != X86_REG_INVALID || (memory->index != X86_REG_INVALID && memory->scale != 1))
		return unknown;
	if (memory->base != X86_REG_INVALID)
		sum = sum_of(values_register(values, memory->base), sum);
	return memory->index == X86_REG_INVALID ? sum : sum_of(sum, values_register(values, memory->index));
}

/* What an operand holds; narrower than 32 bits: unknown. */
static struct value operand_value(struct values *values, const cs_x86_op *operand)
{
	struct value address;

	if (operand->type == X86_OP_IMM)
		return constant(operand->imm);
	if (operand->size < 4)
		return unknown;
	if (operand->type == X86_OP_REG)
		return values_register(values, operand->reg);
	address = address_of(values, &operand->mem);
	return address.kind == VALUE_FRAME ? slot_get(values, address.number) : unknown;
}

static void operand_set(struct values *values, const cs_x86_op *operand, struct value value)
{
	struct value address, *to;

	if (operand->type == X86_OP_REG) {
		to = register_of(values, operand->reg);
		if (to)
			*to = value;
	} else if (operand->type == X86_OP_MEM) {
		address = address_of(values, &operand->mem);
		if (address.kind == VALUE_FRAME)
			values_set_slot(values, address.number, value);
		else
			values->kept |= value.kind == VALUE_RESULT;
	}
}

/* --- instructions --- */

static void push(struct values *values, struct value value)
{
	struct value *sp = register_of(values, X86_REG_RSP);

	*sp = sum_of(*sp, constant(-8));
	if (sp->kind == VALUE_FRAME)
		values_set_slot(values, sp->number, value);
}

static struct value pop(struct values *values)
{
	struct value *sp = register_of(values, X86_REG_RSP);
	struct value value = sp->kind == VALUE_FRAME ? slot_get(values, sp->number) : unknown;

	*sp = sum_of(*sp, constant(8));
	return value;
}

/* What the instruction writes, of registers, is unknown. */
static void forget_written(struct values *values, const struct code *code, const cs_insn *insn)
{
	cs_regs written = {0};
	int count = code_writes(code, insn, written);

	if (count < 0)
		memset(values->registers, 0, sizeof(values->registers));
	for (int i = 0; i < count; i++) {
		int number = number_of(written[i], REGISTER_NAMES);

		if (number >= 0)
			values->registers[number] = unknown;
	}
}

/* With a constant: what is rounded, or is 1 instead of 0 (clang 19 adds the carry of a comparison with 1), is still the same. */
static bool changes_a_little(const cs_insn *insn)
{
	return insn->id == X86_INS_AND || insn->id == X86_INS_OR || insn->id == X86_INS_ADC || insn->id == X86_INS_SBB;
}

/* Instructions of two operands. False: this is none that keeps a value. */
static bool move_value(struct values *values, const cs_insn *insn)
{
	const cs_x86_op *to = &insn->detail->x86.operands[0], *from = &insn->detail->x86.operands[1];
	struct value before, value;

	if ((to->type != X86_OP_REG && to->type != X86_OP_MEM) || to->size < 4)
		return false;
	if (insn->id == X86_INS_LEA) {
		operand_set(values, to, address_of(values, &from->mem));
		return true;
	}
	before = operand_value(values, to);
	value = operand_value(values, from);
	if (insn->id == X86_INS_MOV || insn->id == X86_INS_MOVABS || insn->id == X86_INS_MOVSXD)
		operand_set(values, to, value);
	else if (insn->id == X86_INS_ADD)
		operand_set(values, to, sum_of(before, value));
	else if (insn->id == X86_INS_SUB)
		operand_set(values, to, sum_of(before, negative(value)));
	else if (changes_a_little(insn) && value.kind == VALUE_CONSTANT)
		operand_set(values, to, before.kind == VALUE_CONSTANT ? unknown : before);
	else if (insn->id == X86_INS_IMUL)
		operand_set(values, to, product_of(before, value));
	else if (insn->id == X86_INS_XOR && from->type == X86_OP_REG && to->type == X86_OP_REG && from->reg == to->reg)
		operand_set(values, to, constant(0));
	else
		return false;
	return true;
}

static bool is_conditional_move(const cs_insn *insn)
{
	return !strncmp(insn->mnemonic, "cmov", 4);
}

/* Instructions of one operand, or of none. False: as above. */
static bool change_value(struct values *values, const struct code *code, const cs_insn *insn)
{
	const cs_x86_op *operand = &insn->detail->x86.operands[0];
	struct value *accumulator = register_of(values, X86_REG_RAX), value = operand_value(values, operand);

	if (insn->id == X86_INS_PUSH) {
		push(values, value);
	} else if (insn->id == X86_INS_POP) {
		value = pop(values);
		operand_set(values, operand, value);
	} else if (insn->id == X86_INS_LEAVE) {
		*register_of(values, X86_REG_RSP) = values_register(values, X86_REG_RBP);
		*register_of(values, X86_REG_RBP) = pop(values);
	} else if (insn->id == X86_INS_INC || insn->id == X86_INS_DEC) {
		operand_set(values, operand, sum_of(value, constant(1)));
	} else if (insn->id == X86_INS_MUL) {
		value = product_of(*accumulator, value);
		forget_written(values, code, insn);
		*accumulator = value;
	} else {
		return insn->id == X86_INS_CDQE;
	}
	return true;
}

void values_step(struct values *values, const struct code *code, const cs_insn *insn)
{
	const cs_x86_op *operands = insn->detail->x86.operands;
	u8 count = insn->detail->x86.op_count;

	if (count == 2 && is_conditional_move(insn))
		operand_set(values, &operands[0],
			    either(operand_value(values, &operands[0]), operand_value(values, &operands[1])));
	else if (count == 2 ? !move_value(values, insn) : !change_value(values, code, insn))
		forget_written(values, code, insn);
}
