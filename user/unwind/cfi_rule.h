/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What a call frame program says at one address, and the rule that says the same. */
#include "include/types.h"
#include "include/unwind.h"
#include "unwind/cfi_sections.h"

/* The registers that are followed; numbers of the x86-64 psABI. */
#define REGISTER_BX 3
#define REGISTER_BP 6
#define REGISTER_SP 7
#define REGISTER_IP 16 /* of the caller: the return address */

/* Where a register of the caller is. */
struct cfi_place {
	enum {
		PLACE_SAME,
		PLACE_UNDEFINED,
		PLACE_OFFSET,	  /* at cfa + offset */
		PLACE_EXPRESSION, /* at the address that `expression` gives */
		PLACE_ELSEWHERE
	} kind;
	s64 offset;
	struct cfi_reader expression;
};

struct cfi_frame {
	u64 cfa_register; /* CFI_BY_EXPRESSION: by cfa_expression */
	s64 cfa_offset;
	struct cfi_reader cfa_expression;
	struct cfi_place bp, bx, ip;
};

#define CFI_BY_EXPRESSION UINT64_MAX

/* False when unwind_rule cannot say it; the rule is then CFA_UNKNOWN. */
bool cfi_frame_rule(const struct cfi_frame *frame, bool is_signal, struct unwind_rule *ret_rule);
