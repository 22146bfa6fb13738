/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decodes from the symbol with Capstone, follows the arguments through register copies, and stops at the first instruction
 * that it does not know.
 */
#include "probe/site.h"

#include <errno.h>
#include <string.h>

#include <capstone/capstone.h>

#include "probe/insn_branch.h"

#define INSN_BYTES_MAX 15 /* bytes of the longest x86 instruction */
#define CANDIDATES_MAX 2  /* the NULL test of free, and behind it */

static const u8 abi_register[SITE_ARGS_MAX] = {ARG_DI, ARG_SI, ARG_DX, ARG_CX};

/* The state of the walk in front of the instruction at `offset`. */
struct walk {
	enum call_kind kind;
	unsigned int arguments;	    /* wanted, one bit each */
	u16 holders[SITE_ARGS_MAX]; /* which registers hold argument n unchanged, one bit each */
	u64 offset;
	bool null_tested; /* the zero flag says whether the pointer is NULL */
	bool past_null;	  /* only a pointer that is not NULL gets here */
	bool shadow_stack;
	bool has_fallback;
	struct site fallback; /* the first plain instruction that can be probed */
	unsigned int candidate_count;
	struct site candidates[CANDIDATES_MAX];
};

/*
 * What the kernel's uprobes make of an instruction is decided from the raw bytes, as the kernel does it
 * (arch/x86/kernel/uprobes.c), not from a disassembler's view. `49 90` is an xchg that the kernel takes for a nop, and a 66
 * prefix changes which path it chooses.
 */

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

/* Does every kernel from 6.1 on emulate the instruction of exactly `length` bytes? Later kernels emulate more nops. */
static bool is_emulated(const u8 *bytes, size_t length)
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

/* The nop, and the call, that a probe must not be on (see site.h). */
static bool is_deadly(const u8 *bytes, size_t length, bool shadow_stack)
{
	static const u8 nop5[] = {0x0f, 0x1f, 0x44, 0x00, 0x00};
	struct cut cut = instruction_cut(bytes, length);

	if (length >= sizeof(nop5) && !memcmp(bytes, nop5, sizeof(nop5)))
		return true;
	return shadow_stack && cut.opcode && cut.opcode[0] == 0xe8;
}

/*
 * Can the first instruction be probed? The kernel refuses a lock or segment prefix and a branch with a 66 prefix. More
 * code may follow: `length` is all there is, INSN_BYTES_MAX at most.
 */
static bool is_accepted(const u8 *bytes, size_t length, bool shadow_stack)
{
	struct cut cut = instruction_cut(bytes, length);

	if (cut.refused || is_deadly(bytes, length, shadow_stack))
		return false;
	return !cut.operand_size || !cut.opcode || !is_relative_branch(&cut, length - (size_t)(cut.opcode - bytes));
}

/* The enum arg_register that a register of any width is part of, or -1. */
static int gpr_number(unsigned int reg)
{
#define WIDTHS(number, r64, r32, r16, r8)                                                                              \
	[X86_REG_##r64] = (number) + 1, [X86_REG_##r32] = (number) + 1, [X86_REG_##r16] = (number) + 1,                \
	[X86_REG_##r8] = (number) + 1
	static const u8 number_plus_one[X86_REG_ENDING] = {
		WIDTHS(ARG_AX, RAX, EAX, AX, AL),
		WIDTHS(ARG_CX, RCX, ECX, CX, CL),
		WIDTHS(ARG_DX, RDX, EDX, DX, DL),
		WIDTHS(ARG_BX, RBX, EBX, BX, BL),
		WIDTHS(ARG_SP, RSP, ESP, SP, SPL),
		WIDTHS(ARG_BP, RBP, EBP, BP, BPL),
		WIDTHS(ARG_SI, RSI, ESI, SI, SIL),
		WIDTHS(ARG_DI, RDI, EDI, DI, DIL),
		WIDTHS(ARG_R8, R8, R8D, R8W, R8B),
		WIDTHS(ARG_R9, R9, R9D, R9W, R9B),
		WIDTHS(ARG_R10, R10, R10D, R10W, R10B),
		WIDTHS(ARG_R11, R11, R11D, R11W, R11B),
		WIDTHS(ARG_R12, R12, R12D, R12W, R12B),
		WIDTHS(ARG_R13, R13, R13D, R13W, R13B),
		WIDTHS(ARG_R14, R14, R14D, R14W, R14B),
		WIDTHS(ARG_R15, R15, R15D, R15W, R15B),
		[X86_REG_AH] = ARG_AX + 1,
		[X86_REG_CH] = ARG_CX + 1,
		[X86_REG_DH] = ARG_DX + 1,
		[X86_REG_BH] = ARG_BX + 1,
	};
#undef WIDTHS

	return reg < X86_REG_ENDING ? number_plus_one[reg] - 1 : -1;
}

/*
 * Instructions that a walk may step over: control goes on to the next one, and Capstone (4.0.2 and 5.0) names every
 * register they write. Compilers put little else into a prologue; the unknown ends the walk.
 */
static bool is_plain(const cs_insn *insn)
{
	static const unsigned int plain[] = {
		X86_INS_MOV,   X86_INS_MOVABS, X86_INS_MOVZX,  X86_INS_MOVSX,  X86_INS_MOVSXD,	X86_INS_LEA,
		X86_INS_CMP,   X86_INS_TEST,   X86_INS_ADD,    X86_INS_SUB,    X86_INS_AND,	X86_INS_OR,
		X86_INS_XOR,   X86_INS_NOT,    X86_INS_NEG,    X86_INS_INC,    X86_INS_DEC,	X86_INS_SHL,
		X86_INS_SHR,   X86_INS_SAR,    X86_INS_IMUL,   X86_INS_MUL,    X86_INS_BSF,	X86_INS_BSR,
		X86_INS_LZCNT, X86_INS_TZCNT,  X86_INS_SETE,   X86_INS_SETNE,  X86_INS_SETO,	X86_INS_SETB,
		X86_INS_SETAE, X86_INS_SETA,   X86_INS_SETBE,  X86_INS_NOP,    X86_INS_ENDBR64, X86_INS_MOVQ,
		X86_INS_MOVD,  X86_INS_MOVAPS, X86_INS_MOVUPS, X86_INS_MOVDQA, X86_INS_MOVDQU,	X86_INS_PXOR,
		X86_INS_XORPS};

	for (unsigned int i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (insn->id == plain[i])
			return true;
	return false;
}

/* The general registers an instruction writes, one bit each, whatever the width. */
static u16 written_registers(csh decoder, const cs_insn *insn)
{
	cs_regs reads, writes;
	u8 read_count, write_count;
	u16 mask = 0;

	if (cs_regs_access(decoder, insn, reads, &read_count, writes, &write_count) != CS_ERR_OK)
		return UINT16_MAX;
	for (u8 i = 0; i < write_count; i++) {
		int number = gpr_number(writes[i]);

		if (number >= 0)
			mask |= (u16)(1u << number);
	}
	return mask;
}

/* Both operands as registers when the instruction is `id` on two 64-bit ones. */
static bool has_two_registers(const cs_insn *insn, unsigned int id, int *ret_first, int *ret_second)
{
	const cs_x86 *x86 = &insn->detail->x86;

	if (insn->id != id || x86->op_count != 2 || x86->operands[0].type != X86_OP_REG ||
	    x86->operands[1].type != X86_OP_REG || x86->operands[0].size != 8 || x86->operands[1].size != 8)
		return false;
	*ret_first = gpr_number(x86->operands[0].reg);
	*ret_second = gpr_number(x86->operands[1].reg);
	return *ret_first >= 0 && *ret_second >= 0;
}

static bool walk_has_arguments(const struct walk *walk)
{
	for (unsigned int i = 0; i < SITE_ARGS_MAX; i++)
		if (walk->arguments & 1u << i && !walk->holders[i])
			return false;
	return true;
}

/* Account for a plain instruction; false: nothing behind it can be a site. */
static bool walk_step(struct walk *walk, csh decoder, const cs_insn *insn)
{
	u16 written = written_registers(decoder, insn);
	int to = 0, from = 0;
	unsigned int pointer = walk->arguments ? (unsigned int)__builtin_ctz(walk->arguments) : 0;
	bool copies = has_two_registers(insn, X86_INS_MOV, &to, &from);

	if (written & 1u << ARG_SP)
		return false;
	for (unsigned int i = 0; i < SITE_ARGS_MAX; i++) {
		bool copied = copies && (walk->holders[i] & 1u << from);

		walk->holders[i] &= (u16)~written;
		if (copied)
			walk->holders[i] |= (u16)(1u << to);
	}
	if (has_two_registers(insn, X86_INS_TEST, &to, &from))
		walk->null_tested = to == from && (walk->holders[pointer] & 1u << to);
	else if (insn->id != X86_INS_MOV && insn->id != X86_INS_LEA)
		walk->null_tested = false;
	return walk_has_arguments(walk);
}

static void walk_note(const struct walk *walk, const cs_insn *insn, bool emulated, struct site *site)
{
	site->offset = walk->offset;
	site->emulated = emulated;
	site->on_call = insn->id == X86_INS_CALL;
	site->skips_null = walk->past_null;
	for (unsigned int i = 0; i < SITE_ARGS_MAX; i++) {
		u16 holders = walk->holders[i];

		site->arg[i] = abi_register[i];
		if (holders && !(holders & 1u << abi_register[i]))
			site->arg[i] = (u8)__builtin_ctz(holders);
	}
}

/* Collect the candidates, best last: the first emulated instruction, in free also the one behind the NULL test. */
static void walk_prologue(struct walk *walk, csh decoder, cs_insn *insn, const u8 *code, size_t size)
{
	const u8 *cursor = code;
	u64 address = 0;

	for (;;) {
		const u8 *bytes = cursor;

		walk->offset = address;
		if (!cs_disasm_iter(decoder, &cursor, &size, &address, insn))
			return;
		if (!walk->has_fallback && is_plain(insn) && is_accepted(bytes, insn->size, walk->shadow_stack)) {
			walk_note(walk, insn, false, &walk->fallback);
			walk->has_fallback = true;
		}
		if (is_emulated(bytes, insn->size)) {
			if (!is_deadly(bytes, insn->size, walk->shadow_stack))
				walk_note(walk, insn, true, &walk->candidates[walk->candidate_count++]);
			if (walk->kind != CALL_FREE || insn->id != X86_INS_JE || !walk->null_tested || walk->past_null)
				return;
			walk->past_null = true;
		} else if (!is_plain(insn) || !walk_step(walk, decoder, insn)) {
			return;
		}
	}
}

/*
 * The lowest offset behind the symbol that a direct jump or call in the function leads to. A site there or further on
 * may be hit twice in one call; a jump to the symbol itself is a new call that no site could tell from another.
 */
static int note_reentry(const struct insn_branch *branch, void *arg)
{
	u64 *first = arg;

	if (branch->target > 0 && (u64)branch->target < *first)
		*first = (u64)branch->target;
	return 0;
}

/* The best candidate that is not hit twice in one call, else the fallback. */
static int choose(struct walk *walk, u64 reentry, const u8 *code, size_t size, struct site *ret_site)
{
	static const struct site symbol = {.arg = {ARG_DI, ARG_SI, ARG_DX, ARG_CX}};

	while (walk->candidate_count > 0 && walk->candidates[walk->candidate_count - 1].offset >= reentry)
		walk->candidate_count--;
	if (walk->candidate_count > 0)
		*ret_site = walk->candidates[walk->candidate_count - 1];
	else if (is_accepted(code, size < INSN_BYTES_MAX ? size : INSN_BYTES_MAX, walk->shadow_stack))
		*ret_site = symbol;
	else if (walk->has_fallback && walk->fallback.offset < reentry)
		*ret_site = walk->fallback;
	else
		return -EOPNOTSUPP;
	return 0;
}

int site_find(const u8 *code, size_t size, enum call_kind kind, unsigned int arguments, bool shadow_stack,
	      struct site *ret_site)
{
	struct walk walk = {
		.kind = kind,
		.arguments = arguments & ((1u << SITE_ARGS_MAX) - 1),
		.shadow_stack = shadow_stack,
	};
	u64 reentry = UINT64_MAX;
	cs_insn *insn;
	csh decoder;
	int err;

	if (size == 0)
		return -ENODATA;
	err = insn_branch_for_each(code, size, note_reentry, &reentry);
	if (err || cs_open(CS_ARCH_X86, CS_MODE_64, &decoder) != CS_ERR_OK)
		return -ENOMEM;
	cs_option(decoder, CS_OPT_DETAIL, CS_OPT_ON);
	for (unsigned int i = 0; i < SITE_ARGS_MAX; i++)
		walk.holders[i] = (u16)(1u << abi_register[i]);
	insn = cs_malloc(decoder);
	if (insn) {
		walk_prologue(&walk, decoder, insn, code, size);
		cs_free(insn, 1);
	}
	cs_close(&decoder);
	return insn ? choose(&walk, reentry, code, size, ret_site) : -ENOMEM;
}
