/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/moved_code.h"

#include <capstone/capstone.h>
#include <string.h>

#include "inline/first_instruction.h"
#include "probe/insn_branch.h"

#define NEAR_JUMP  0xe9
#define SHORT_JUMP 0xeb
#define BREAKPOINT 0xcc

static const u8 endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

/* One function on its way. */
struct moving {
	u64 from, to; /* of the next instruction, and where it goes */
	u64 start;    /* of the first one */
	struct moved_code *moved;
	u32 room;		      /* bytes that the jump needs */
	bool left;		      /* the last one was a jump, so nothing comes behind it */
	u64 targets[MOVED_CODE_JUMP]; /* of its jumps */
	unsigned int target_count;
};

static bool put_displacement(u8 *place, u64 target, u64 next)
{
	s64 distance = (s64)(target - next);
	s32 displacement = (s32)distance;

	memcpy(place, &displacement, sizeof(displacement));
	return distance == displacement;
}

static bool is_in_group(const cs_insn *insn, unsigned int group)
{
	for (u8 i = 0; i < insn->detail->groups_count; i++)
		if (insn->detail->groups[i] == group)
			return true;
	return false;
}

static bool is_far_reaching(const cs_insn *insn)
{
	return is_in_group(insn, CS_GRP_JUMP) || is_in_group(insn, CS_GRP_CALL) || is_in_group(insn, CS_GRP_RET) ||
	       is_in_group(insn, CS_GRP_INT) || is_in_group(insn, CS_GRP_IRET) || is_in_group(insn, CS_GRP_PRIVILEGE);
}

/* What compilers begin functions with, none of which does more than compute, load and store. */
static bool is_plain(const cs_insn *insn)
{
	static const unsigned int plain[] = {
		X86_INS_PUSH,  X86_INS_MOV,    X86_INS_MOVABS, X86_INS_MOVZX,  X86_INS_MOVSX,  X86_INS_MOVSXD,
		X86_INS_LEA,   X86_INS_TEST,   X86_INS_CMP,    X86_INS_ADD,    X86_INS_SUB,    X86_INS_ADC,
		X86_INS_SBB,   X86_INS_AND,    X86_INS_OR,     X86_INS_XOR,    X86_INS_NOT,    X86_INS_NEG,
		X86_INS_INC,   X86_INS_DEC,    X86_INS_SHL,    X86_INS_SHR,    X86_INS_SAR,    X86_INS_IMUL,
		X86_INS_BT,    X86_INS_NOP,    X86_INS_BSR,    X86_INS_BSF,    X86_INS_SETE,   X86_INS_SETNE,
		X86_INS_SETA,  X86_INS_SETAE,  X86_INS_SETB,   X86_INS_SETBE,  X86_INS_CMOVE,  X86_INS_CMOVNE,
		X86_INS_CMOVA, X86_INS_CMOVAE, X86_INS_CMOVB,  X86_INS_CMOVBE, X86_INS_MUL,    X86_INS_LZCNT,
		X86_INS_PXOR,  X86_INS_XORPS,  X86_INS_MOVAPS, X86_INS_MOVUPS, X86_INS_MOVDQA, X86_INS_MOVDQU,
		X86_INS_MOVQ,  X86_INS_MOVD,
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		if (insn->id == plain[i])
			return true;
	return false;
}

static bool is_relative_to(const cs_x86 *x86, x86_reg base)
{
	for (u8 i = 0; i < x86->op_count; i++)
		if (x86->operands[i].type == X86_OP_MEM && x86->operands[i].mem.base == base)
			return true;
	return false;
}

static const char *move_plain(struct moving *moving, const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;
	struct moved_code *moved = moving->moved;
	u8 *place = moved->bytes + moved->size;

	if (is_relative_to(x86, X86_REG_EIP))
		return "reads memory in a way that is not known";
	memcpy(place, insn->bytes, insn->size);
	if (is_relative_to(x86, X86_REG_RIP)) {
		u64 target = moving->from + insn->size + (u64)x86->disp;

		if (x86->encoding.disp_size != sizeof(s32))
			return "reads memory in a way that is not known";
		if (!put_displacement(place + x86->encoding.disp_offset, target, moving->to + insn->size))
			return "reads memory too far away";
	}
	moved->size += insn->size;
	moving->to += insn->size;
	return NULL;
}

/* A condition that stands alone in the opcode: 70 to 7f, or 0f 80 to 0f 8f. */
static bool condition_of(const cs_insn *insn, u8 *ret_condition)
{
	const u8 *opcode = insn->detail->x86.opcode;
	bool is_short = (opcode[0] & 0xf0) == 0x70, is_near = opcode[0] == 0x0f && (opcode[1] & 0xf0) == 0x80;

	*ret_condition = (is_short ? opcode[0] : opcode[1]) & 0x0f;
	return is_short || is_near;
}

static const char *move_jump(struct moving *moving, const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;
	struct moved_code *moved = moving->moved;
	u8 *place = moved->bytes + moved->size, condition, size = MOVED_CODE_JUMP;
	u64 target;

	if (!is_in_group(insn, CS_GRP_JUMP) || x86->op_count != 1 || x86->operands[0].type != X86_OP_IMM)
		return is_in_group(insn, CS_GRP_CALL) ? "begins with a call" : "begins with what cannot be moved";
	target = (u64)x86->operands[0].imm;
	if (insn->id == X86_INS_JMP) {
		*place++ = NEAR_JUMP;
		moving->left = true;
	} else if (condition_of(insn, &condition)) {
		*place++ = 0x0f;
		*place++ = 0x80 | condition;
		size++;
	} else {
		return "begins with what cannot be moved";
	}
	if (!put_displacement(place, target, moving->to + size))
		return "jumps too far away";
	moving->targets[moving->target_count++] = target;
	moved->size += size;
	moving->to += size;
	return NULL;
}

/* The next instruction begins here and there. */
static void note_place(struct moved_code *moved)
{
	moved->places[moved->place_count++] =
		(struct moved_place){.from = (u8)(moved->skip + moved->taken), .to = (u8)moved->size};
}

/* Instructions until there is space for the jump. */
static const char *move_all(struct moving *moving, csh handle, const u8 *code, size_t size, cs_insn *insn)
{
	const char *refusal = NULL;
	u64 address = moving->from;

	while (!refusal && moving->moved->taken < moving->room) {
		if (moving->left || !cs_disasm_iter(handle, &code, &size, &address, insn))
			return "is too short, or not known code";
		note_place(moving->moved);
		if (is_far_reaching(insn))
			refusal = move_jump(moving, insn);
		else
			refusal = is_plain(insn) ? move_plain(moving, insn)
						 : "begins with an instruction that is not known";
		moving->moved->taken += insn->size;
		moving->from += insn->size;
	}
	return refusal;
}

static bool is_within(u64 address, u64 start, const struct moved_code *moved)
{
	return address >= start && address < start + moved->taken;
}

static const char *come_back(struct moving *moving)
{
	struct moved_code *moved = moving->moved;

	for (unsigned int i = 0; i < moving->target_count; i++)
		if (is_within(moving->targets[i], moving->start, moved))
			return "jumps within its first instructions";
	note_place(moved);
	if (moving->left)
		return NULL;
	moved->bytes[moved->size] = NEAR_JUMP;
	if (!put_displacement(moved->bytes + moved->size + 1, moving->from, moving->to + MOVED_CODE_JUMP))
		return "is too far away";
	moved->size += MOVED_CODE_JUMP;
	return NULL;
}

/*
 * A jump to the first instruction meets the jump that stands there, or behind it, so that the call would be counted again: its return
 * address is the caller's still. A call is told by its own.
 */
static int leads_back(const struct insn_branch *branch, void *arg)
{
	const struct moved_code *moved = arg;
	long long first = branch->call ? (long long)moved_code_first_taken(moved) : 0;

	return branch->target >= first && branch->target < (long long)moved->skip + (long long)moved->taken;
}

/* One as long as our jump is replaced: whoever sets a breakpoint there has it executed, and goes on behind it, past us. */
static const char *pass_first(struct moving *moving, csh handle, const u8 *code, size_t size, cs_insn *insn)
{
	struct moved_code *moved = moving->moved;
	u64 address = moving->from;
	const char *refusal;

	if (!cs_disasm_iter(handle, &code, &size, &address, insn))
		return "is too short, or not known code";
	if (insn->size >= MOVED_CODE_JUMP)
		return NULL;
	/* An endbr64 that was passed is what has others' breakpoints then. */
	if (!first_instruction_undo(insn, moved))
		return moved->skip ? NULL : "begins with an instruction that cannot be undone";
	refusal = move_plain(moving, insn);
	moved->undoes = true;
	moved->skip += insn->size;
	moved->behind_first = moved->skip;
	moving->from += insn->size;
	moving->start = moving->from;
	return refusal;
}

static const char *pass_push(struct moving *moving, csh handle, const u8 *code, size_t size, cs_insn *insn)
{
	struct moved_code *moved = moving->moved;
	u64 address = moving->from;
	const char *refusal;

	if (!moved->undoes || !cs_disasm_iter(handle, &code, &size, &address, insn) || insn->id != X86_INS_PUSH ||
	    !first_instruction_undo(insn, moved))
		return "does not push what follows";
	refusal = move_plain(moving, insn);
	moved->skip += insn->size;
	moving->from += insn->size;
	moving->start = moving->from;
	return refusal;
}

/* In front of it stands the test that sets its flags, so it does the same a second time: whoever gets here does not jump. */
static const char *pass_null(struct moving *moving, csh handle, const u8 *code, size_t size, cs_insn *insn)
{
	struct moved_code *moved = moving->moved;
	u64 address = moving->from;
	const char *refusal;

	if (!cs_disasm_iter(handle, &code, &size, &address, insn) || insn->id != X86_INS_JE)
		return "does not begin with a test for NULL";
	refusal = move_jump(moving, insn);
	moved->skip += insn->size;
	moving->from += insn->size;
	moving->start = moving->from;
	return refusal;
}

static bool tests_pointer(const cs_insn *insn)
{
	const cs_x86_op *operands = insn->detail->x86.operands;

	return insn->id == X86_INS_TEST && operands[0].type == X86_OP_REG && operands[0].reg == X86_REG_RDI &&
	       operands[1].type == X86_OP_REG && operands[1].reg == X86_REG_RDI;
}

static const char *pass(struct moving *moving, csh handle, const u8 *code, size_t size, cs_insn *insn,
			enum moved_code_jump jump)
{
	struct moved_code *moved = moving->moved;
	const char *refusal = pass_first(moving, handle, code + moved->skip, size - moved->skip, insn);

	if (!refusal && jump == MOVED_CODE_THIRD)
		return pass_push(moving, handle, code + moved->skip, size - moved->skip, insn);
	if (refusal || jump != MOVED_CODE_RELAYED_PAST_NULL)
		return refusal;
	if (!moved->undoes || !tests_pointer(insn))
		return "does not begin with a test for NULL";
	return pass_null(moving, handle, code + moved->skip, size - moved->skip, insn);
}

static const char *move(csh handle, cs_insn *insn, const u8 *code, size_t size, enum moved_code_jump jump,
			struct moving *moving)
{
	struct moved_code *moved = moving->moved;
	const char *refusal = NULL;
	int back;

	moved->relayed = jump > MOVED_CODE_THIRD;
	moving->room = moved->relayed ? MOVED_CODE_SHORT : MOVED_CODE_JUMP;
	if (jump != MOVED_CODE_FIRST)
		refusal = pass(moving, handle, code, size, insn, jump);
	if (!refusal)
		refusal = move_all(moving, handle, code + moved->skip, size - moved->skip, insn);
	if (!refusal && moved->relayed && moved->place_count > 1)
		refusal = "has no room for a jump";
	if (!refusal)
		refusal = come_back(moving);
	if (refusal)
		return refusal;
	back = insn_branch_for_each(code, size, leads_back, moved);
	return back < 0 ? "could not be read for want of memory" : back ? "jumps back to its first instructions" : NULL;
}

const char *moved_code_make(const u8 *code, size_t size, u64 from, u64 to, enum moved_code_jump jump,
			    struct moved_code *ret_moved)
{
	struct moving moving = {.to = to, .moved = ret_moved};
	const char *refusal = "could not be read for want of memory";
	cs_insn *insn;
	csh handle;

	memset(ret_moved, 0, sizeof(*ret_moved));
	if (size > sizeof(endbr64) && !memcmp(code, endbr64, sizeof(endbr64)))
		ret_moved->skip = sizeof(endbr64);
	moving.from = moving.start = from + ret_moved->skip;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &handle))
		return refusal;
	cs_option(handle, CS_OPT_DETAIL, CS_OPT_ON);
	insn = cs_malloc(handle);
	if (insn) {
		refusal = move(handle, insn, code, size, jump, &moving);
		cs_free(insn, 1);
	}
	cs_close(&handle);
	return refusal;
}

bool moved_code_bears_breakpoint(const struct moved_code *moved, u32 offset)
{
	u32 first = moved->places[1].from - moved->skip;

	if (moved->relayed || offset < moved->skip || offset >= moved->skip + MOVED_CODE_JUMP)
		return true;
	return offset == moved->skip && first >= MOVED_CODE_JUMP;
}

u32 moved_code_first_taken(const struct moved_code *moved)
{
	return moved->undoes ? moved->behind_first : moved->skip + 1;
}

void moved_code_patch_short(const struct moved_code *moved, u32 landing, u8 ret_patch[MOVED_CODE_SHORT])
{
	ret_patch[0] = SHORT_JUMP;
	ret_patch[1] = (u8)(landing - moved->skip - MOVED_CODE_SHORT);
}

bool moved_code_patch(const struct moved_code *moved, u64 from, u64 to, u8 ret_patch[MOVED_CODE_TAKEN_MAX])
{
	memset(ret_patch, BREAKPOINT, moved->taken);
	ret_patch[0] = NEAR_JUMP;
	return put_displacement(ret_patch + 1, to, from + moved->skip + MOVED_CODE_JUMP);
}
