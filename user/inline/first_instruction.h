/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The first instruction of a function, if it stays where it is and is run a second time at the other place (inline/moved_code.h). */
#include <capstone/capstone.h>

#include "inline/moved_code.h"

/* Add what takes its effect back to `undo`; nothing: it may be run twice as it is. False: it cannot be. `insn` has details. */
bool first_instruction_undo(const cs_insn *insn, struct moved_code *moved);
