/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the state of a call frame program to a rule: what of x86-64 there is in the compiler. Beyond registers plus
 * offsets, three idioms are known by their expressions: lazy PLT entries (of the linkers), functions that realign their
 * stack (gcc), and the return of a signal handler (libc).
 */
#include "cfirule.h"

#include <dwarf.h>
#include <string.h>

/* Whether the expression is `base + offset`, read from memory if `is_read`; *ret_sum is then what is added to it. */
static bool is_based(struct cfi_reader expression, u8 base, bool is_read, s64 *ret_offset, u64 *ret_sum)
{
	if (cfi_read_number(&expression, 1) != (u64)DW_OP_breg0 + base)
		return false;
	*ret_offset = cfi_read_sleb(&expression);
	*ret_sum = 0;
	if (is_read && cfi_read_number(&expression, 1) != DW_OP_deref)
		return false;
	if (is_read && expression.at < expression.end) {
		if (cfi_read_number(&expression, 1) != DW_OP_plus_uconst)
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

static bool set_cfa_rule(const struct cfi_frame *frame, struct unwind_rule *rule)
{
	s64 offset;
	u64 sum;

	switch (frame->cfa_register) {
	case REGISTER_SP:
	case REGISTER_BP:
		rule->cfa = frame->cfa_register == REGISTER_SP ? CFA_SP : CFA_BP;
		rule->offset = (s32)frame->cfa_offset;
		return rule->offset == frame->cfa_offset;
	case CFI_BY_EXPRESSION:
		if (is_plt(frame->cfa_expression, &rule->offset)) {
			rule->cfa = CFA_PLT;
			return true;
		}
		if (!is_based(frame->cfa_expression, REGISTER_BP, true, &offset, &sum))
			return false;
		/* A realigned stack. Its saved bp is where bp points, so that the step can restore it. */
		rule->cfa = CFA_BP_DEREF;
		rule->bp_offset = (int16_t)offset;
		rule->offset = (s32)sum;
		return rule->bp_offset == offset && sum <= INT32_MAX && is_at(&frame->bp, REGISTER_BP, 0);
	default:
		return false;
	}
}

static bool set_bp_rule(const struct cfi_frame *frame, struct unwind_rule *rule)
{
	switch (frame->bp.kind) {
	case PLACE_SAME:
	case PLACE_UNDEFINED: /* then no caller's rule needs it */
		return rule->cfa != CFA_BP_DEREF;
	case PLACE_OFFSET:
		rule->bp = BP_SAVED;
		rule->bp_offset = (int16_t)frame->bp.offset;
		return rule->cfa != CFA_BP_DEREF && rule->bp_offset == frame->bp.offset;
	case PLACE_EXPRESSION:
		return rule->cfa == CFA_BP_DEREF;
	default:
		return false;
	}
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
	    !set_bp_rule(frame, &rule))
		return false;
	*ret_rule = rule;
	return true;
}
