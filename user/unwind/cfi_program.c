/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interpreter of call frame programs (DWARF 5, 6.4.2). Of their registers it keeps the caller's bp, bx and ip. */
#include "unwind/cfi_program.h"

#include <dwarf.h>
#include <stddef.h>

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

/* Where `frame` has the register; NULL: it is none that is followed. */
static struct cfi_place *place_of(struct cfi_frame *frame, u64 number)
{
	switch (number) {
	case REGISTER_BP:
		return &frame->bp;
	case REGISTER_BX:
		return &frame->bx;
	case REGISTER_IP:
		return &frame->ip;
	default:
		return NULL;
	}
}

static void set_place(struct run *run, u64 number, struct cfi_place place)
{
	struct cfi_place *at = place_of(&run->frame, number);

	if (at)
		*at = place;
}

static void set_offset(struct run *run, u64 number, s64 offset)
{
	set_place(run, number, (struct cfi_place){.kind = PLACE_OFFSET, .offset = offset});
}

static void restore_place(struct run *run, u64 number)
{
	struct cfi_frame initial = run->common->initial;
	const struct cfi_place *place = place_of(&initial, number);

	if (place)
		set_place(run, number, *place);
}

static void set_cfa(struct run *run, u64 number, s64 offset)
{
	run->frame.cfa_register = number;
	run->frame.cfa_offset = offset;
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

/* Instructions about the canonical frame address. */
static bool step_cfa(struct run *run, u8 code)
{
	struct cfi_reader *program = &run->program;
	u64 number;

	switch (code) {
	case DW_CFA_def_cfa:
		number = cfi_read_uleb(program);
		set_cfa(run, number, (s64)cfi_read_uleb(program));
		return true;
	case DW_CFA_def_cfa_sf:
		number = cfi_read_uleb(program);
		set_cfa(run, number, factored(run, (u64)cfi_read_sleb(program)));
		return true;
	case DW_CFA_def_cfa_register:
		if (run->frame.cfa_register == CFI_BY_EXPRESSION)
			fail(run);
		run->frame.cfa_register = cfi_read_uleb(program);
		return true;
	case DW_CFA_def_cfa_offset:
		run->frame.cfa_offset = (s64)cfi_read_uleb(program);
		return true;
	case DW_CFA_def_cfa_offset_sf:
		run->frame.cfa_offset = factored(run, (u64)cfi_read_sleb(program));
		return true;
	case DW_CFA_def_cfa_expression:
		run->frame.cfa_register = CFI_BY_EXPRESSION;
		run->frame.cfa_expression = cfi_read_block(program);
		return true;
	default:
		return false;
	}
}

/* Instructions about where a register was saved. */
static bool step_place(struct run *run, u8 code)
{
	struct cfi_reader *program = &run->program;
	u64 number;

	if (code < DW_CFA_offset_extended || code > DW_CFA_GNU_negative_offset_extended)
		return false;
	switch (code) {
	case DW_CFA_offset_extended:
		number = cfi_read_uleb(program);
		set_offset(run, number, factored(run, cfi_read_uleb(program)));
		return true;
	case DW_CFA_offset_extended_sf:
		number = cfi_read_uleb(program);
		set_offset(run, number, factored(run, (u64)cfi_read_sleb(program)));
		return true;
	case DW_CFA_GNU_negative_offset_extended:
		number = cfi_read_uleb(program);
		set_offset(run, number, factored(run, -cfi_read_uleb(program)));
		return true;
	case DW_CFA_restore_extended:
		restore_place(run, cfi_read_uleb(program));
		return true;
	case DW_CFA_undefined:
		set_place(run, cfi_read_uleb(program), (struct cfi_place){.kind = PLACE_UNDEFINED});
		return true;
	case DW_CFA_same_value:
		set_place(run, cfi_read_uleb(program), (struct cfi_place){.kind = PLACE_SAME});
		return true;
	case DW_CFA_register:
	case DW_CFA_val_offset:
	case DW_CFA_val_offset_sf:
		set_place(run, cfi_read_uleb(program), (struct cfi_place){.kind = PLACE_ELSEWHERE});
		cfi_read_uleb(program);
		return true;
	case DW_CFA_expression:
		number = cfi_read_uleb(program);
		set_place(run, number,
			  (struct cfi_place){.kind = PLACE_EXPRESSION, .expression = cfi_read_block(program)});
		return true;
	case DW_CFA_val_expression:
		set_place(run, cfi_read_uleb(program), (struct cfi_place){.kind = PLACE_ELSEWHERE});
		cfi_read_block(program);
		return true;
	default:
		return false;
	}
}

/* The address from which on the following instructions count; `run->address` where there is none. */
static u64 step_address(struct run *run, u8 code)
{
	struct cfi_reader *program = &run->program;
	u64 distance;

	switch (code) {
	case DW_CFA_set_loc:
		return cfi_read_pointer(program, run->common->encoding, run->section);
	case DW_CFA_advance_loc1:
		distance = cfi_read_number(program, 1);
		break;
	case DW_CFA_advance_loc2:
		distance = cfi_read_number(program, 2);
		break;
	case DW_CFA_advance_loc4:
		distance = cfi_read_number(program, 4);
		break;
	case DW_CFA_MIPS_advance_loc8:
		distance = cfi_read_number(program, 8);
		break;
	default:
		distance = code & 0x3f;
		break;
	}
	if (__builtin_mul_overflow(distance, run->common->code_factor, &distance) ||
	    distance > UINT64_MAX - run->address)
		return UINT64_MAX;
	return run->address + distance;
}

/* One instruction. *ret_address: see step_address. */
static void step(struct run *run, u64 *ret_address)
{
	struct cfi_reader *program = &run->program;
	u8 code = (u8)cfi_read_number(program, 1);

	*ret_address = run->address;
	switch (code & 0xc0) {
	case DW_CFA_advance_loc:
		*ret_address = step_address(run, code);
		return;
	case DW_CFA_offset:
		set_offset(run, code & 0x3f, factored(run, cfi_read_uleb(program)));
		return;
	case DW_CFA_restore:
		restore_place(run, code & 0x3f);
		return;
	}
	switch (code) {
	case DW_CFA_nop:
		return;
	case DW_CFA_set_loc:
	case DW_CFA_advance_loc1:
	case DW_CFA_advance_loc2:
	case DW_CFA_advance_loc4:
	case DW_CFA_MIPS_advance_loc8:
		*ret_address = step_address(run, code);
		return;
	case DW_CFA_remember_state:
		remember(run);
		return;
	case DW_CFA_restore_state:
		recall(run);
		return;
	case DW_CFA_GNU_args_size: /* about arguments on the stack, of use to exceptions alone */
		cfi_read_uleb(program);
		return;
	}
	if (!step_cfa(run, code) && !step_place(run, code))
		fail(run);
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

int cfi_function_run(const struct cfi_function *function, const struct cfi_common *common,
		     int (*each)(void *arg, u64 distance, const struct unwind_rule *rule, bool is_lost), void *arg)
{
	/* Not initialized as a whole: that would clear the states it may remember, too, once per function. */
	struct unwind_rule rule;
	struct run run;
	bool is_known;
	int err = 0;

	run.common = common;
	run.section = function->section;
	run.program = function->program;
	run.frame = common->initial;
	run.remembered_count = 0;
	run.address = function->address;
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
