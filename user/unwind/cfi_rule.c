/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the state of a call frame program to a rule: what of x86-64 there is in the compiler. Beyond registers plus
 * offsets, three idioms are known by their expressions: lazy PLT entries (of the linkers), frames whose address was put
 * on the stack (gcc where it realigns it, hand-written code), and the return of a signal handler (libc).
 */
#include "unwind/cfi_rule.h"

#include <dwarf.h>
#include <string.h>

/* Whether the expression is `base + offset`, read from memory if `is_read`; *ret_sum is then what is added to it. */
static bool is_based(struct cfi_reader expression, u8 base, bool is_read, s64 *ret_offset, u64 *ret_sum)
{
	if (cfi_read_byte(&expression) != (u64)DW_OP_breg0 + base)
		return false;
	*ret_offset = cfi_read_sleb(&expression);
	*ret_sum = 0;
	if (is_read && cfi_read_byte(&expression) != DW_OP_deref)
		return false;
	if (is_read && expression.at < expression.end) {
		if (cfi_read_byte(&expression) != DW_OP_plus_uconst)
			return false;
		*ret_sum = cfi_read_uleb(&expression);
	}
	return !expression.failed && expression.at == expression.end;
}

static bool is_at(const struct cfi_place *place, u8 base, s64 wanted)
{
	s64 offset;
	u64 sum;

	return place->kind == PLACE_EXPRESSION && is_based(place->expression, base, false, &offset, &sum) &&
	       offset == wanted;
}

/* The frame that the kernel leaves for a signal handler to return to. */
static bool is_signal_frame(const struct cfi_frame *frame)
{
	s64 offset;
	u64 sum;

	return frame->cfa_register == CFI_BY_EXPRESSION &&
	       is_based(frame->cfa_expression, REGISTER_SP, true, &offset, &sum) && offset == UNWIND_SIGNAL_SP &&
	       sum == 0 && is_at(&frame->ip, REGISTER_SP, UNWIND_SIGNAL_IP) &&
	       is_at(&frame->bp, REGISTER_SP, UNWIND_SIGNAL_BP);
}

/* Lazy PLT entries: the entry pushes 8 bytes in its instruction before offset N, and the linkers differ in N. */
static bool is_plt(struct cfi_reader expression, s32 *ret_offset)
{
	static const u8 before[] = {DW_OP_breg7, 8, DW_OP_breg16, 0, DW_OP_lit15, DW_OP_and};
	static const u8 after[] = {DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus};
	u8 number;

	if ((size_t)(expression.end - expression.at) != sizeof(before) + 1 + sizeof(after) ||
	    memcmp(expression.at, before, sizeof(before)) != 0 ||
	    memcmp(expression.at + sizeof(before) + 1, after, sizeof(after)) != 0)
		return false;
	number = expression.at[sizeof(before)];
	if (number < DW_OP_lit0 || number > DW_OP_lit15)
		return false;
	*ret_offset = number - DW_OP_lit0;
	return true;
}

/* ucontext's gregs in the order of the psABI's register numbers 0 (ax) to 15; bp, bx and sp have rules of their own. */
static const u8 signal_registers[] = {13, 12, 14, 11, 9, 8, 10, 15, 0, 1, 2, 3, 4, 5, 6, 7};

/* cfa = register + offset */
static bool set_cfa_register(u64 number, s64 offset, struct unwind_rule *rule)
{
	rule->offset = (s32)offset;
	if (number == REGISTER_SP) {
		rule->cfa = CFA_SP;
	} else if (number == REGISTER_BP) {
		rule->cfa = CFA_BP;
	} else if (number == REGISTER_BX) {
		rule->cfa = CFA_BX;
	} else if (number < sizeof(signal_registers)) {
		rule->cfa = CFA_SIGNALED;
		rule->at = UNWIND_SIGNAL_REGISTER(signal_registers[number]);
	} else {
		return false;
	}
	return rule->offset == offset;
}

/* cfa = *(register + at) + offset */
static bool set_cfa_deref(struct cfi_reader expression, u8 number, u8 cfa, struct unwind_rule *rule)
{
	s64 at;
	u64 sum;

	if (!is_based(expression, number, true, &at, &sum) || sum > INT32_MAX || (s32)at != at)
		return false;
	rule->cfa = cfa;
	rule->at = (s32)at;
	rule->offset = (s32)sum;
	return true;
}

/* The next operations of the expression: a read, and what is added then. */
static u64 read_deref(struct cfi_reader *expression)
{
	bool is_deref = cfi_read_number(expression, 1) == DW_OP_deref;

	if (!is_deref || cfi_read_number(expression, 1) != DW_OP_plus_uconst)
		expression->failed = true;
	return cfi_read_uleb(expression);
}

/* cfa = *(*(sp + at)) + offset: OCaml 5 on the first frame of a fiber, whose handler has its caller's stack. */
static bool set_cfa_deref_twice(struct cfi_reader expression, struct unwind_rule *rule)
{
	u64 between, sum;
	s64 at;

	if (cfi_read_number(&expression, 1) != DW_OP_breg0 + REGISTER_SP)
		return false;
	at = cfi_read_sleb(&expression);
	between = read_deref(&expression);
	sum = read_deref(&expression);
	if (expression.failed || expression.at != expression.end || between || sum > INT32_MAX || (s32)at != at)
		return false;
	rule->cfa = CFA_SP_DEREF_TWICE;
	rule->at = (s32)at;
	rule->offset = (s32)sum;
	return true;
}

static bool set_cfa_rule(const struct cfi_frame *frame, struct unwind_rule *rule)
{
	if (frame->cfa_register != CFI_BY_EXPRESSION)
		return set_cfa_register(frame->cfa_register, frame->cfa_offset, rule);
	if (is_plt(frame->cfa_expression, &rule->offset)) {
		rule->cfa = CFA_PLT;
		return true;
	}
	return set_cfa_deref(frame->cfa_expression, REGISTER_BP, CFA_BP_DEREF, rule) ||
	       set_cfa_deref(frame->cfa_expression, REGISTER_SP, CFA_SP_DEREF, rule) ||
	       set_cfa_deref_twice(frame->cfa_expression, rule);
}

/* Where the caller's value of a register is. False: no rule can say. */
static bool set_saved(const struct cfi_place *place, u8 *ret_saved, int16_t *ret_offset)
{
	s64 offset = place->offset;
	u64 sum;

	if (place->kind == PLACE_SAME)
		return true;
	*ret_saved = SAVED_LOST;
	if (place->kind == PLACE_UNDEFINED)
		return true;
	if (place->kind == PLACE_OFFSET)
		*ret_saved = SAVED_AT_CFA;
	else if (place->kind == PLACE_EXPRESSION && is_based(place->expression, REGISTER_BP, false, &offset, &sum))
		*ret_saved = SAVED_AT_BP;
	else
		return false;
	*ret_offset = (int16_t)offset;
	return *ret_offset == offset;
}

bool cfi_frame_rule(const struct cfi_frame *frame, bool is_signal, struct unwind_rule *ret_rule)
{
	struct unwind_rule rule = {0};

	*ret_rule = rule;
	if (frame->ip.kind == PLACE_UNDEFINED) {
		ret_rule->cfa = CFA_END;
		return true;
	}
	if (is_signal && is_signal_frame(frame)) {
		ret_rule->cfa = CFA_SIGNAL;
		return true;
	}
	if (frame->ip.kind != PLACE_OFFSET || frame->ip.offset != -8 || !set_cfa_rule(frame, &rule) ||
	    !set_saved(&frame->bp, &rule.bp, &rule.bp_offset))
		return false;
	/* Few frames have their base in bx: what cannot be said of it loses only those. */
	if (!set_saved(&frame->bx, &rule.bx, &rule.bx_offset)) {
		rule.bx = SAVED_LOST;
		rule.bx_offset = 0;
	}
	/* OCaml 5 says so of its calls of C and back, which change stacks. */
	rule.switches = is_signal && (rule.cfa == CFA_SP_DEREF || rule.cfa == CFA_SP_DEREF_TWICE);
	*ret_rule = rule;
	return true;
}
