/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* libdw's own reading of unwind information, as a rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>
#include <string.h>

#include "include/unwind.h"

static inline bool libdw_is(const Dwarf_Op *ops, size_t count, const u8 *atoms, size_t wanted)
{
	if (count != wanted)
		return false;
	for (size_t i = 0; i < count; i++)
		if (ops[i].atom != atoms[i])
			return false;
	return true;
}

/* Where a register of the caller is, as include/unwind.h has it. False: somewhere else. */
static inline bool libdw_saved(Dwarf_Frame *frame, int number, u8 *ret_saved, s16 *ret_offset)
{
	Dwarf_Op memory[3], *ops;
	size_t count;

	assert_int_equal(dwarf_frame_register(frame, number, memory, &ops, &count), 0);
	*ret_offset = 0;
	*ret_saved = count == 0 && !ops ? SAVED_NOT : count == 0 ? SAVED_LOST : SAVED_AT_CFA;
	if (count == 0)
		return true;
	if (count > 2 || ops[0].atom != DW_OP_call_frame_cfa)
		return false;
	if (count == 2 && ops[1].atom == DW_OP_breg6)
		*ret_saved = SAVED_AT_BP;
	else if (count == 2 && ops[1].atom != DW_OP_plus_uconst)
		return false;
	*ret_offset = count == 2 ? (s16)ops[1].number : 0;
	return count == 1 || *ret_offset == (s64)ops[1].number;
}

static inline void libdw_base(u64 number, s32 offset, struct unwind_rule *rule)
{
	/* The psABI's registers by their place in ucontext's gregs. */
	static const char *const gregs[] = {"r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
					    "rdi", "rsi", "rbp", "rbx", "rdx", "rax", "rcx", "rsp"};
	static const char *const names[] = {"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
					    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

	rule->offset = offset;
	rule->cfa = number == 7 ? CFA_SP : number == 6 ? CFA_BP : number == 3 ? CFA_BX : CFA_SIGNALED;
	for (s32 i = 0; rule->cfa == CFA_SIGNALED && i < 16; i++)
		if (!strcmp(gregs[i], names[number]))
			rule->at = 40 + 8 * i;
}

static inline bool libdw_cfa(Dwarf_Frame *frame, struct unwind_rule *rule)
{
	u8 plt[] = {DW_OP_breg7, DW_OP_breg16, DW_OP_lit15, DW_OP_and, 0, DW_OP_ge, DW_OP_lit3, DW_OP_shl, DW_OP_plus};
	Dwarf_Op *ops;
	size_t count;

	assert_int_equal(dwarf_frame_cfa(frame, &ops, &count), 0);
	if (count == 1 && ops[0].atom == DW_OP_bregx && ops[0].number < 16) {
		libdw_base(ops[0].number, (s32)ops[0].number2, rule);
		return true;
	}
	if (count == sizeof(plt)) {
		plt[4] = ops[4].atom; /* where the linkers differ */
		rule->cfa = CFA_PLT;
		rule->offset = ops[4].atom - DW_OP_lit0;
		return libdw_is(ops, count, plt, sizeof(plt));
	}
	if (count < 2 || count > 3 || (ops[0].atom != DW_OP_breg6 && ops[0].atom != DW_OP_breg7) ||
	    ops[1].atom != DW_OP_deref || (count == 3 && ops[2].atom != DW_OP_plus_uconst))
		return false;
	rule->cfa = ops[0].atom == DW_OP_breg6 ? CFA_BP_DEREF : CFA_SP_DEREF;
	rule->at = (s32)ops[0].number;
	rule->offset = count == 3 ? (s32)ops[2].number : 0;
	return true;
}

static inline struct unwind_rule libdw_frame_rule(Dwarf_Frame *frame)
{
	const struct unwind_rule unknown = {0};
	struct unwind_rule rule = {0};
	bool is_signal;
	s16 offset;
	u8 saved;

	dwarf_frame_info(frame, NULL, NULL, &is_signal);
	if (is_signal)
		return (struct unwind_rule){.cfa = CFA_SIGNAL};
	if (!libdw_saved(frame, 16, &saved, &offset))
		return unknown;
	if (saved == SAVED_LOST)
		return (struct unwind_rule){.cfa = CFA_END};
	if (saved != SAVED_AT_CFA || offset != -8 || !libdw_cfa(frame, &rule) ||
	    !libdw_saved(frame, 6, &rule.bp, &rule.bp_offset))
		return unknown;
	if (!libdw_saved(frame, 3, &rule.bx, &rule.bx_offset)) {
		rule.bx = SAVED_LOST;
		rule.bx_offset = 0;
	}
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
