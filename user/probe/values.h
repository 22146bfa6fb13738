/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What registers and the words of a function's frame hold at one of its instructions, as far as it is made of the function's
 * arguments and of the result of one of its calls. x86-64.
 */
#include "probe/code.h"

enum value_kind {
	VALUE_UNKNOWN,
	VALUE_CONSTANT,
	VALUE_ARGUMENT, /* number: bits of the arguments that it is made of */
	VALUE_FRAME,	/* an address in the frame; number: from where the return address is */
	VALUE_RESULT,	/* of the call, or some bytes on */
};

struct value {
	enum value_kind kind;
	s64 number;
};

#define VALUES_REGISTERS 16
#define VALUES_SLOTS	 24 /* words of the frame; with all of them in use the oldest goes */

struct values {
	bool kept; /* the result has been written elsewhere than into the frame */
	struct value registers[VALUES_REGISTERS];
	struct value_slot {
		s64 place;
		struct value value;
	} slots[VALUES_SLOTS];
	u32 slot_count, slot_next;
};

/* By its 64 bits, or by its low 32, which are what is written when the others become 0. Unknown if it has another size or kind. */
struct value values_register(const struct values *values, x86_reg reg);
void values_set_register(struct values *values, x86_reg reg, struct value value); /* of another size or kind: ignored */

/* The word at a place of the frame. */
void values_set_slot(struct values *values, s64 place, struct value value);

/* Apply an instruction that is no branch. What is not known to keep a value makes it unknown. */
void values_step(struct values *values, const struct code *code, const cs_insn *insn);
