/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LIBDW_RULE_H
#define LIBDW_RULE_H
/* libdw's own reading of unwind information, as a rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

#include "../../include/unwind.h"

static inline bool libdw_is(const Dwarf_Op *ops, size_t count, const u8 *atoms, size_t wanted)
{
	if (count != wanted)
		return false;
	for (size_t i = 0; i < count; i++)
		if (ops[i].atom != atoms[i])
			return false;
	return true;
}

/* False: somewhere else. *ret_offset: from the frame address, unless the register is the caller's already. */
static inline bool libdw_saved(Dwarf_Frame *frame, int number, bool *ret_is_same, bool *ret_is_undefined,
			       s64 *ret_offset)
{
	Dwarf_Op memory[3], *ops;
	size_t count;

	assert_int_equal(dwarf_frame_register(frame, number, memory, &ops, &count), 0);
	*ret_is_same = count == 0 && !ops;
	*ret_is_undefined = count == 0 && ops == memory;
	*ret_offset = count == 2 ? (s64)ops[1].number : 0;
	return count == 0 || (ops[0].atom == DW_OP_call_frame_cfa &&
			      (count == 1 || (count == 2 && ops[1].atom == DW_OP_plus_uconst)));
}

static inline bool libdw_bp_is_where_bp_points(Dwarf_Frame *frame)
{
	Dwarf_Op memory[3], *ops;
	size_t count;

	assert_int_equal(dwarf_frame_register(frame, 6, memory, &ops, &count), 0);
	/* An expression for a register begins with the frame address on its stack. */
	return libdw_is(ops, count, (const u8[]){DW_OP_call_frame_cfa, DW_OP_breg6}, 2) && ops[1].number == 0;
}

static inline bool libdw_cfa(Dwarf_Frame *frame, struct unwind_rule *rule)
{
	static const u8 realigned[] = {DW_OP_breg6, DW_OP_deref};
	u8 plt[] = {DW_OP_breg7, DW_OP_breg16, DW_OP_lit15, DW_OP_and, 0, DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus};
	Dwarf_Op *ops;
	size_t count;

	assert_int_equal(dwarf_frame_cfa(frame, &ops, &count), 0);
	if (count == 1 && ops[0].atom == DW_OP_bregx && (ops[0].number == 6 || ops[0].number == 7)) {
		rule->cfa = ops[0].number == 7 ? CFA_SP : CFA_BP;
		rule->offset = (s32)ops[0].number2;
		return true;
	}
	if (count == sizeof(plt)) {
		plt[4] = ops[4].atom; /* where the linkers differ */
		rule->cfa = CFA_PLT;
		rule->offset = ops[4].atom - DW_OP_lit0;
		return libdw_is(ops, count, plt, sizeof(plt));
	}
	if (!libdw_is(ops, count, realigned, sizeof(realigned)) || !libdw_bp_is_where_bp_points(frame))
		return false;
	rule->cfa = CFA_BP_DEREF;
	rule->bp_offset = (s16)ops[0].number;
	return true;
}

static inline struct unwind_rule libdw_frame_rule(Dwarf_Frame *frame)
{
	const struct unwind_rule unknown = {0};
	bool is_same, is_undefined, is_signal;
	struct unwind_rule rule = {0};
	s64 offset;

	dwarf_frame_info(frame, NULL, NULL, &is_signal);
	if (is_signal)
		return (struct unwind_rule){.cfa = CFA_SIGNAL};
	if (!libdw_saved(frame, 16, &is_same, &is_undefined, &offset))
		return unknown;
	if (is_undefined)
		return (struct unwind_rule){.cfa = CFA_END};
	if (offset != -8 || !libdw_cfa(frame, &rule))
		return unknown;
	if (rule.cfa == CFA_BP_DEREF)
		return rule;
	if (!libdw_saved(frame, 6, &is_same, &is_undefined, &offset))
		return unknown;
	rule.bp = is_same || is_undefined ? BP_SAME : BP_SAVED;
	rule.bp_offset = (s16)offset;
	return rule;
}

static inline struct unwind_rule libdw_rule(Dwarf_CFI *cfi, u64 address)
{
	struct unwind_rule rule = {0};
	Dwarf_Frame *frame;

	if (dwarf_cfi_addrframe(cfi, address, &frame) != 0)
		return rule;
	rule = libdw_frame_rule(frame);
	free(frame);
	return rule;
}

#endif
