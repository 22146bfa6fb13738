/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/moved_code.h"

#include <capstone/capstone.h>
#include <string.h>

#include "probe/insn_branch.h"

#define NEAR_JUMP  0xe9
#define BREAKPOINT 0xcc

static const u8 endbr64[] = {0xf3, 0x0f, 0x1e, 0xfa};

/* One function on its way. */
struct moving {
	u64 from, to; /* of the next instruction, and where it goes */
	u64 start;    /* of the first one */
	struct moved_code *moved;
	bool left;		     /* the last one was a jump, so nothing comes behind it */
	struct moved_range inner[4]; /* targets of the jumps, as ranges of one byte */
	unsigned int inner_count;
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

static bool is_rip_relative(const cs_x86 *x86)
{
	for (u8 i = 0; i < x86->op_count; i++)
		if (x86->operands[i].type == X86_OP_MEM && x86->operands[i].mem.base == X86_REG_RIP)
			return true;
	return false;
}

static const char *move_plain(struct moving *moving, const cs_insn *insn)
{
	const cs_x86 *x86 = &insn->detail->x86;
	struct moved_code *moved = moving->moved;
	u8 *place = moved->bytes + moved->size;

	memcpy(place, insn->bytes, insn->size);
	if (is_rip_relative(x86)) {
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
	moving->inner[moving->inner_count++] = (struct moved_range){target, target + 1};
	moved->size += size;
	moving->to += size;
	return NULL;
}

/* Instructions until there is space for the jump. */
static const char *move_all(struct moving *moving, csh handle, const u8 *code, size_t size, cs_insn *insn)
{
	const char *refusal = NULL;
	u64 address = moving->from;

	while (!refusal && moving->moved->taken < MOVED_CODE_JUMP) {
		if (moving->left || !cs_disasm_iter(handle, &code, &size, &address, insn))
			return "is too short, or not known code";
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

	for (unsigned int i = 0; i < moving->inner_count; i++)
		if (is_within(moving->inner[i].start, moving->start, moved))
			return "jumps within its first instructions";
	if (moving->left)
		return NULL;
	moved->bytes[moved->size] = NEAR_JUMP;
	if (!put_displacement(moved->bytes + moved->size + 1, moving->from, moving->to + MOVED_CODE_JUMP))
		return "is too far away";
	moved->size += MOVED_CODE_JUMP;
	return NULL;
}

/* Behind the first instruction: to that one others may come back, and meet the jump that stands there. */
static int leads_back(const struct insn_branch *branch, void *arg)
{
	const struct moved_code *moved = arg;

	return branch->target > (long long)moved->skip &&
	       branch->target < (long long)moved->skip + (long long)moved->taken;
}

static const char *move(csh handle, cs_insn *insn, const u8 *code, size_t size, struct moving *moving)
{
	struct moved_code *moved = moving->moved;
	const char *refusal = move_all(moving, handle, code + moved->skip, size - moved->skip, insn);
	int back;

	if (!refusal)
		refusal = come_back(moving);
	if (refusal)
		return refusal;
	back = insn_branch_for_each(code, size, leads_back, moved);
	return back < 0 ? "could not be read for want of memory" : back ? "jumps back to its first instructions" : NULL;
}

const char *moved_code_make(const u8 *code, size_t size, u64 from, u64 to, struct moved_code *ret_moved)
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
		refusal = move(handle, insn, code, size, &moving);
		cs_free(insn, 1);
	}
	cs_close(&handle);
	return refusal;
}

bool moved_code_patch(const struct moved_code *moved, u64 from, u64 to, u8 ret_patch[MOVED_CODE_TAKEN_MAX])
{
	memset(ret_patch, BREAKPOINT, moved->taken);
	ret_patch[0] = NEAR_JUMP;
	return put_displacement(ret_patch + 1, to, from + moved->skip + MOVED_CODE_JUMP);
}

static int range_of(u64 address, const struct moved_range *ranges, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (address >= ranges[i].start && address < ranges[i].end)
			return (int)i;
	return -1;
}

int moved_code_find_branch(const u8 *text, size_t size, u64 address, const struct moved_range *ranges,
			   unsigned int count)
{
	u64 low = ~0ULL, high = 0;

	for (unsigned int i = 0; i < count; i++) {
		low = ranges[i].start < low ? ranges[i].start : low;
		high = ranges[i].end > high ? ranges[i].end : high;
	}
	/* Whatever the opcode, its four bytes of displacement are the last. */
	for (size_t i = 1; i + sizeof(s32) <= size; i++) {
		bool branch = text[i - 1] == 0xe8 || text[i - 1] == NEAR_JUMP ||
			      ((text[i - 1] & 0xf0) == 0x80 && i > 1 && text[i - 2] == 0x0f);
		s32 displacement;
		u64 target;
		int range;

		if (!branch)
			continue;
		memcpy(&displacement, text + i, sizeof(displacement));
		target = address + i + sizeof(displacement) + (u64)(s64)displacement;
		range = target >= low && target < high ? range_of(target, ranges, count) : -1;
		if (range >= 0)
			return range;
	}
	return -1;
}
