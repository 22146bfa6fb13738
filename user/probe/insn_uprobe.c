/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decides from the raw bytes, as the kernel does it (arch/x86/kernel/uprobes.c), not
 * from a disassembler's view. `49 90` is an xchg that the kernel takes for a nop, and a 66 prefix changes which path it
 * chooses.
 */
#include "probe/insn_uprobe.h"

/* An instruction cut as the kernel's decoder cuts it. */
struct cut {
	bool refused;	   /* carries a prefix that no uprobe may have */
	bool operand_size; /* carries 66 */
	bool other;	   /* carries 67, fs or gs: harmless, but no compiler writes them before a branch */
	u8 rex;
	const u8 *opcode; /* NULL: prefixes only */
};

static struct cut instruction_cut(const u8 *bytes, size_t length)
{
	struct cut cut = {0};
	size_t i;

	for (i = 0; i < length; i++) {
		switch (bytes[i]) {
		case 0xf0:
		case 0x2e:
		case 0x3e:
		case 0x26:
		case 0x36:
			cut.refused = true;
			continue;
		case 0x66:
			cut.operand_size = true;
			continue;
		case 0x67:
		case 0x64:
		case 0x65:
			cut.other = true;
			continue;
		case 0xf2:
		case 0xf3:
			continue;
		}
		break;
	}
	if (i < length && (bytes[i] & 0xf0) == 0x40)
		cut.rex = bytes[i++];
	if (i < length)
		cut.opcode = &bytes[i];
	return cut;
}

static bool is_relative_branch(const struct cut *cut, size_t opcode_length)
{
	u8 opcode = cut->opcode[0];

	if (opcode == 0x0f)
		return opcode_length > 1 && (cut->opcode[1] & 0xf0) == 0x80;
	return (opcode & 0xf0) == 0x70 || opcode == 0xe8 || opcode == 0xe9 || opcode == 0xeb;
}

bool insn_uprobe_emulates(const u8 *bytes, size_t length)
{
	struct cut cut = instruction_cut(bytes, length);

	if (!cut.opcode || cut.refused)
		return false;
	if ((cut.opcode[0] & 0xf8) == 0x50)
		return length == 1 || (length == 2 && bytes[0] == 0x41);
	/* With REX.B it is xchg %rax,%r8, which the kernel would skip like a nop. */
	if (cut.opcode[0] == 0x90)
		return !(cut.rex & 1);
	return !cut.operand_size && !cut.other && is_relative_branch(&cut, length - (size_t)(cut.opcode - bytes));
}

bool insn_uprobe_accepts(const u8 *bytes, size_t length)
{
	struct cut cut = instruction_cut(bytes, length);

	if (cut.refused)
		return false;
	return !cut.operand_size || !cut.opcode || !is_relative_branch(&cut, length - (size_t)(cut.opcode - bytes));
}
