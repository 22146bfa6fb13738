/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "probe/insn_branch.h"

#include <errno.h>

#include <capstone/capstone.h>

static bool is_direct(csh decoder, const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;

	return cs_insn_group(decoder, insn, X86_GRP_BRANCH_RELATIVE) && x86->op_count == 1 &&
	       x86->operands[0].type == X86_OP_IMM;
}

static int walk(csh decoder, cs_insn *insn, const u8 *code, size_t size,
		int (*each)(const struct insn_branch *branch, void *arg), void *arg)
{
	bool first = true;
	u64 address = 0;
	int err = 0;

	while (size > 0 && !err) {
		struct insn_branch branch;

		if (!cs_disasm_iter(decoder, &code, &size, &address, insn)) {
			code++;
			size--;
			address++;
			first = false;
			continue;
		}
		if (is_direct(decoder, insn)) {
			branch.target = insn->detail->x86.operands[0].imm;
			branch.always = insn->id == X86_INS_JMP;
			branch.call = insn->id == X86_INS_CALL;
			branch.first = first && branch.always;
			err = each(&branch, arg);
		}
		first = first && insn->id == X86_INS_ENDBR64;
	}
	return err;
}

int insn_branch_for_each(const u8 *code, size_t size, int (*each)(const struct insn_branch *branch, void *arg),
			 void *arg)
{
	cs_insn *insn;
	csh decoder;
	int err;

	if (cs_open(CS_ARCH_X86, CS_MODE_64, &decoder) != CS_ERR_OK)
		return -ENOMEM;
	cs_option(decoder, CS_OPT_DETAIL, CS_OPT_ON);
	insn = cs_malloc(decoder);
	err = insn ? walk(decoder, insn, code, size, each, arg) : -ENOMEM;
	if (insn)
		cs_free(insn, 1);
	cs_close(&decoder);
	return err;
}
