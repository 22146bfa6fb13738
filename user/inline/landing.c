/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/landing.h"

#include <capstone/capstone.h>

#define REACH (2 + 127) /* of a short jump, from its first byte on */

/* Nothing comes behind it. */
static bool is_last(const cs_insn *insn)
{
	return insn->id == X86_INS_JMP || insn->id == X86_INS_RET || insn->id == X86_INS_UD2 || insn->id == X86_INS_HLT;
}

static bool is_padding(const cs_insn *insn)
{
	return insn->id == X86_INS_NOP || insn->id == X86_INS_INT3;
}

/* Several instructions may fill it. */
static u32 find(csh decoder, cs_insn *insn, const u8 *code, size_t size)
{
	u64 at = 0, start = 0;
	bool unreached = false;

	while (cs_disasm_iter(decoder, &code, &size, &at, insn)) {
		if (!is_padding(insn)) {
			unreached = is_last(insn);
			start = at;
		} else if (unreached && start <= REACH && at - start >= LANDING_BYTES) {
			return (u32)start;
		}
	}
	return 0;
}

u32 landing_find(const u8 *code, size_t size)
{
	cs_insn *insn;
	u32 found = 0;
	csh decoder;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &decoder))
		return 0;
	insn = cs_malloc(decoder);
	if (insn) {
		found = find(decoder, insn, code, size);
		cs_free(insn, 1);
	}
	cs_close(&decoder);
	return found;
}
