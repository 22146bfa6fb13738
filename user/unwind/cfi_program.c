/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interpreter of call frame programs (DWARF 5, 6.4.2). It keeps the caller's bp, bx and ip. */
#include "unwind/cfi_program.h"

#include <dwarf.h>
#include <errno.h>

#define REMEMBERED_MAX 32 /* compilers nest one or two deep */

struct run {
	const struct cfi_common *common;
	const struct cfi_section *section;
	struct cfi_reader program;
	struct cfi_frame frame;
	struct cfi_frame remembered[REMEMBERED_MAX];
	unsigned int remembered_count;
	u64 address;
};

static void fail(struct run *run)
{
	run->program.failed = true;
}

/* Unsigned in between: a hostile product wraps instead of being undefined. */
static s64 factored(const struct run *run, u64 value)
{
	return (s64)(value * (u64)run->common->data_factor);
}

static void set_place(struct run *run, u64 number, const struct cfi_place *place)
{
	if (number == REGISTER_BP)
		run->frame.bp = *place;
	else if (number == REGISTER_BX)
		run->frame.bx = *place;
	else if (number == REGISTER_IP)
		run->frame.ip = *place;
}

static void restore_place(struct run *run, u64 number)
{
	const struct cfi_frame *initial = &run->common->initial;

	if (number == REGISTER_BP)
		run->frame.bp = initial->bp;
	else if (number == REGISTER_BX)
		run->frame.bx = initial->bx;
	else if (number == REGISTER_IP)
		run->frame.ip = initial->ip;
}

static void remember(struct run *run)
{
	if (run->remembered_count == REMEMBERED_MAX)
		fail(run);
	else
		run->remembered[run->remembered_count++] = run->frame;
}

static void recall(struct run *run)
{
	if (run->remembered_count == 0)
		fail(run);
	else
		run->frame = run->remembered[--run->remembered_count];
}

/* What an instruction does with its operands. */
enum effect {
	UNKNOWN,
	NOTHING,
	ADVANCE,
	CFA,
	CFA_REGISTER,
	CFA_OFFSET,
	CFA_EXPRESSION,
	PLACE,
	RESTORE,
	REMEMBER,
	RECALL,
};

/* How the operand behind the register is written; the last three are multiplied by the entry's factor. */
enum operand {
	ABSENT,
	BLOCK,
	NUMBER,
	FACTORED,
	FACTORED_SIGNED,
	FACTORED_NEGATIVE,
};

static const struct instruction {
	enum effect effect;
	bool has_register;
	enum operand operand;
	int place; /* PLACE: its kind */
	u8 bytes;  /* ADVANCE: of the distance */
} instructions[0x40] = {
	[DW_CFA_nop] = {NOTHING},
	[DW_CFA_GNU_args_size] = {NOTHING, .operand = NUMBER}, /* arguments on the stack, of use to exceptions alone */
	[DW_CFA_set_loc] = {ADVANCE},
	[DW_CFA_advance_loc1] = {ADVANCE, .bytes = 1},
	[DW_CFA_advance_loc2] = {ADVANCE, .bytes = 2},
	[DW_CFA_advance_loc4] = {ADVANCE, .bytes = 4},
	[DW_CFA_MIPS_advance_loc8] = {ADVANCE, .bytes = 8},
	[DW_CFA_remember_state] = {REMEMBER},
	[DW_CFA_restore_state] = {RECALL},
	[DW_CFA_def_cfa] = {CFA, true, NUMBER},
	[DW_CFA_def_cfa_sf] = {CFA, true, FACTORED_SIGNED},
	[DW_CFA_def_cfa_register] = {CFA_REGISTER, true},
	[DW_CFA_def_cfa_offset] = {CFA_OFFSET, false, NUMBER},
	[DW_CFA_def_cfa_offset_sf] = {CFA_OFFSET, false, FACTORED_SIGNED},
	[DW_CFA_def_cfa_expression] = {CFA_EXPRESSION, false, BLOCK},
	[DW_CFA_offset_extended] = {PLACE, true, FACTORED, PLACE_OFFSET},
	[DW_CFA_offset_extended_sf] = {PLACE, true, FACTORED_SIGNED, PLACE_OFFSET},
	[DW_CFA_GNU_negative_offset_extended] = {PLACE, true, FACTORED_NEGATIVE, PLACE_OFFSET},
	[DW_CFA_restore_extended] = {RESTORE, true},
	[DW_CFA_undefined] = {PLACE, true, ABSENT, PLACE_UNDEFINED},
	[DW_CFA_same_value] = {PLACE, true, ABSENT, PLACE_SAME},
	[DW_CFA_register] = {PLACE, true, NUMBER, PLACE_ELSEWHERE},
	[DW_CFA_val_offset] = {PLACE, true, NUMBER, PLACE_ELSEWHERE},
	[DW_CFA_val_offset_sf] = {PLACE, true, NUMBER, PLACE_ELSEWHERE},
	[DW_CFA_expression] = {PLACE, true, BLOCK, PLACE_EXPRESSION},
	[DW_CFA_val_expression] = {PLACE, true, BLOCK, PLACE_ELSEWHERE},
};

static s64 read_operand(struct run *run, enum operand operand, struct cfi_reader *ret_block)
{
	struct cfi_reader *program = &run->program;

	switch (operand) {
	case BLOCK:
		*ret_block = cfi_read_block(program);
		return 0;
	case NUMBER:
		return (s64)cfi_read_uleb(program);
	case FACTORED:
		return factored(run, cfi_read_uleb(program));
	case FACTORED_SIGNED:
		return factored(run, (u64)cfi_read_sleb(program));
	case FACTORED_NEGATIVE:
		return factored(run, -cfi_read_uleb(program));
	default:
		return 0;
	}
}

/* The address from which on the following instructions count. */
static u64 step_address(struct run *run, u8 code)
{
	u64 distance = code & 0x3f;

	if (code == DW_CFA_set_loc)
		return cfi_read_pointer(&run->program, run->common->encoding, run->section);
	if (code < DW_CFA_advance_loc)
		distance = cfi_read_number(&run->program, instructions[code].bytes);
	if (__builtin_mul_overflow(distance, run->common->code_factor, &distance) ||
	    distance > UINT64_MAX - run->address)
		return UINT64_MAX;
	return run->address + distance;
}

static void step_extended(struct run *run, const struct instruction *instruction)
{
	struct cfi_place place = {.kind = instruction->place};
	struct cfi_frame *frame = &run->frame;
	u64 number = instruction->has_register ? cfi_read_uleb(&run->program) : 0;

	place.offset = read_operand(run, instruction->operand, &place.expression);
	switch (instruction->effect) {
	case CFA:
		frame->cfa_register = number;
		frame->cfa_offset = place.offset;
		break;
	case CFA_REGISTER:
		if (frame->cfa_register == CFI_BY_EXPRESSION)
			fail(run);
		frame->cfa_register = number;
		break;
	case CFA_OFFSET:
		frame->cfa_offset = place.offset;
		break;
	case CFA_EXPRESSION:
		frame->cfa_register = CFI_BY_EXPRESSION;
		frame->cfa_expression = place.expression;
		break;
	case PLACE:
		set_place(run, number, &place);
		break;
	case RESTORE:
		restore_place(run, number);
		break;
	case REMEMBER:
		remember(run);
		break;
	case RECALL:
		recall(run);
		break;
	case UNKNOWN:
		fail(run);
		break;
	default:
		break;
	}
}

static void step_offset(struct run *run, u8 number)
{
	struct cfi_place place = {.kind = PLACE_OFFSET};

	place.offset = factored(run, cfi_read_uleb(&run->program));
	set_place(run, number, &place);
}

/* One instruction. *ret_address: from where on the following ones count; `run->address` where it does not say. */
static void step(struct run *run, u64 *ret_address)
{
	u8 code = cfi_read_byte(&run->program), number = code & 0x3f;

	*ret_address = run->address;
	switch (code & 0xc0) {
	case DW_CFA_advance_loc:
		*ret_address = step_address(run, code);
		break;
	case DW_CFA_offset:
		step_offset(run, number);
		break;
	case DW_CFA_restore:
		restore_place(run, number);
		break;
	default:
		if (instructions[code].effect == ADVANCE)
			*ret_address = step_address(run, code);
		else
			step_extended(run, &instructions[code]);
	}
}

void cfi_common_run(struct cfi_common *common, struct cfi_reader program)
{
	struct run run = {.common = common, .program = program};
	u64 address = 0;

	run.frame.cfa_register = REGISTER_IP; /* none that a rule can begin with */
	run.frame.ip.kind = PLACE_ELSEWHERE;
	while (run.program.at < run.program.end && !run.program.failed && address == run.address)
		step(&run, &address);
	common->initial = run.frame;
	common->is_usable = !run.program.failed && address == run.address;
}

/* Not initialized as a whole: that would clear the states it may remember, too, once per function. */
static void begin(struct run *run, const struct cfi_function *function, const struct cfi_common *common)
{
	run->common = common;
	run->section = function->section;
	run->program = function->program;
	run->frame = common->initial;
	run->remembered_count = 0;
	run->address = function->address;
}

int cfi_function_copy(const struct cfi_function *function, const struct cfi_common *common,
		      int (*each)(void *arg, u64 distance, const u8 *instruction, size_t size), void *arg)
{
	struct run run;
	int err = 0;

	begin(&run, function, common);
	while (!err && run.program.at < run.program.end) {
		const u8 *instruction = run.program.at;
		u64 next;

		step(&run, &next);
		if (run.program.failed || next < run.address)
			return -EBADMSG;
		if (next == run.address)
			err = each(arg, run.address - function->address, instruction,
				   (size_t)(run.program.at - instruction));
		run.address = next;
	}
	return err;
}

int cfi_function_run(const struct cfi_function *function, const struct cfi_common *common,
		     int (*each)(void *arg, u64 distance, const struct unwind_rule *rule, bool is_lost), void *arg)
{
	struct unwind_rule rule;
	struct run run;
	bool is_known;
	int err = 0;

	begin(&run, function, common);
	while (!err && run.program.at < run.program.end) {
		u64 distance = run.address - function->address, next;

		step(&run, &next);
		if (run.program.failed || next < run.address)
			return each(arg, distance, &(struct unwind_rule){0}, true);
		if (next == run.address)
			continue;
		if (next - function->address >= function->size)
			break;
		is_known = cfi_frame_rule(&run.frame, common->is_signal, &rule);
		err = each(arg, distance, &rule, !is_known);
		run.address = next;
	}
	if (err)
		return err;
	is_known = cfi_frame_rule(&run.frame, common->is_signal, &rule);
	return each(arg, run.address - function->address, &rule, !is_known);
}
