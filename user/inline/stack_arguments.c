/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/stack_arguments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf_dynamic.h"
#include "probe/allocator.h"
#include "probe/code.h"
#include "unwind/compile.h"

#define PIECES_MAX	32 /* of code that one function jumps to */
#define PIECE_BYTES_MAX (64U << 10)
#define RETURN_ADDRESS	8 /* bytes of it, which lie right below the caller's frame */

struct stack_arguments {
	struct elf_dynamic *dynamic; /* NULL: it has none */
	struct code *code;
	struct cfi_rules *rules;
	struct cfi_table table;
};

struct piece {
	u64 offset, size;
};

/* One function with all that it jumps to. */
struct reading {
	struct stack_arguments *file;
	struct piece pieces[PIECES_MAX];
	u32 count;
	u16 sum;    /* the register that the instruction before has added to; 0: none */
	bool found; /* or not to be found out */
};

void stack_arguments_free(struct stack_arguments *file)
{
	if (!file)
		return;
	cfi_table_release(&file->table);
	cfi_rules_free(file->rules);
	code_free(file->code);
	elf_dynamic_free(file->dynamic);
	free(file);
}

static int open_file(struct stack_arguments *file, struct elf *elf)
{
	int err = elf_dynamic_open(elf, &file->dynamic);

	if (err == -ENOMEM)
		return err;
	file->code = code_new(elf, file->dynamic);
	file->rules = cfi_rules_new();
	if (!file->code || !file->rules)
		return -ENOMEM;
	/* Without a table nothing is known of any frame. */
	err = cfi_compile(elf, file->rules, &file->table);
	return err == -ENOMEM ? err : 0;
}

int stack_arguments_new(struct elf *elf, struct stack_arguments **ret_file)
{
	struct stack_arguments *file = calloc(1, sizeof(*file));
	int err = file ? open_file(file, elf) : -ENOMEM;

	if (err) {
		stack_arguments_free(file);
		file = NULL;
	}
	*ret_file = file;
	return err;
}

static struct unwind_rule rule_at(const struct stack_arguments *file, u64 offset)
{
	u32 number, count;

	if (!file->table.count || cfi_lookup(&file->table, offset, &number))
		return (struct unwind_rule){.cfa = CFA_UNKNOWN};
	return cfi_rules_get(file->rules, &count)[number];
}

static bool is_of_caller(const cs_x86_op *operand, const struct unwind_rule *rule)
{
	if (operand->type != X86_OP_MEM)
		return false;
	if ((rule->cfa != CFA_SP || operand->mem.base != X86_REG_RSP) &&
	    (rule->cfa != CFA_BP || operand->mem.base != X86_REG_RBP))
		return false;
	return operand->mem.disp >= rule->offset - RETURN_ADDRESS;
}

static bool is_within(const struct piece *piece, u64 offset)
{
	return offset - piece->offset < piece->size;
}

/* Other files' functions, of which only the names are known: those that pools end in have few arguments. */
static bool has_few(const struct code_place *place)
{
	static const char *const names[] = {"memset", "memcpy", "memmove", "__memset_chk", "__memcpy_chk", "abort"};

	for (size_t i = 0; place->name && i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(place->name, names[i]))
			return true;
	return place->name && allocator_find(allocator_standard(), place->name);
}

static void follow(struct reading *reading, const struct code_place *place)
{
	struct piece piece = {.offset = place->offset};

	if (!place->offset) {
		reading->found |= !has_few(place);
		return;
	}
	for (u32 i = 0; i < reading->count; i++)
		if (is_within(&reading->pieces[i], place->offset))
			return;
	piece.size = code_size(reading->file->code, place->offset);
	if (!piece.size || piece.size > PIECE_BYTES_MAX || reading->count == PIECES_MAX)
		reading->found = true;
	else
		reading->pieces[reading->count++] = piece;
}

static bool is_jump(const cs_insn *insn)
{
	for (u8 i = 0; i < insn->detail->groups_count; i++)
		if (insn->detail->groups[i] == CS_GRP_JUMP)
			return true;
	return false;
}

/*
 * A switch jumps to what is in the function. Either the address is the sum of a table's and of what is found there, or the
 * function has something of its own on the stack, which it has not when it leaves for another function.
 */
static bool is_switch(const struct reading *reading, const cs_insn *insn, const struct unwind_rule *rule)
{
	const cs_x86_op *operand = &insn->detail->x86.operands[0];

	if (insn->detail->x86.op_count != 1 || operand->type == X86_OP_IMM)
		return false;
	return (operand->type == X86_OP_REG && operand->reg == reading->sum) || rule->cfa != CFA_SP ||
	       rule->offset != RETURN_ADDRESS;
}

static void read_jump(struct reading *reading, const cs_insn *insn, const struct unwind_rule *rule)
{
	struct code_place place;

	if (code_target(reading->file->code, insn, &place))
		follow(reading, &place);
	else
		reading->found |= !is_switch(reading, insn, rule);
}

static u16 sum_of(const cs_insn *insn)
{
	return insn->id == X86_INS_ADD && insn->detail->x86.operands[0].type == X86_OP_REG
		       ? (u16)insn->detail->x86.operands[0].reg
		       : X86_REG_INVALID;
}

/* Returns the instruction's size: while a jump is followed, others take its place. */
static u16 read_instruction(struct reading *reading, const cs_insn *insn, const struct unwind_rule *rule)
{
	u16 size = insn->size, sum = sum_of(insn);

	for (u8 i = 0; i < insn->detail->x86.op_count; i++)
		reading->found |= is_of_caller(&insn->detail->x86.operands[i], rule);
	if (is_jump(insn))
		read_jump(reading, insn, rule);
	reading->sum = sum;
	return size;
}

static void read_piece(struct reading *reading, const struct piece *piece)
{
	for (u64 at = piece->offset; is_within(piece, at) && !reading->found;) {
		const struct unwind_rule rule = rule_at(reading->file, at);
		const cs_insn *insn = code_at(reading->file->code, at);

		if (!insn || rule.cfa == CFA_UNKNOWN) {
			reading->found = true;
			return;
		}
		at += read_instruction(reading, insn, &rule);
	}
}

bool stack_arguments_may_have(struct stack_arguments *file, u64 offset, u64 size)
{
	struct reading reading = {.file = file, .pieces = {{.offset = offset, .size = size}}, .count = 1};

	for (u32 i = 0; i < reading.count && !reading.found; i++)
		read_piece(&reading, &reading.pieces[i]);
	return reading.found;
}
