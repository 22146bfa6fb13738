/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "system/seccomp_filter.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>

#include "system/procfs.h"

#define WORD_BITS_MASK 31
#define FILTERS_MAX    512

#ifndef PTRACE_SECCOMP_GET_FILTER
#define PTRACE_SECCOMP_GET_FILTER 0x420c
#endif

/* The machine of classic BPF, as far as seccomp's programs use it. */
struct machine {
	const struct seccomp_data *data;
	u32 a, x;
	u32 memory[BPF_MEMWORDS];
	bool lost; /* an instruction is not understood */
};

static u32 data_word(struct machine *machine, u32 offset)
{
	u32 word;

	if (offset > sizeof(*machine->data) - sizeof(word) || offset % sizeof(word)) {
		machine->lost = true;
		return 0;
	}
	memcpy(&word, (const u8 *)machine->data + offset, sizeof(word));
	return word;
}

static u32 load(struct machine *machine, const struct sock_filter *insn)
{
	switch (BPF_MODE(insn->code)) {
	case BPF_ABS:
		return data_word(machine, insn->k);
	case BPF_IMM:
		return insn->k;
	case BPF_LEN:
		return sizeof(*machine->data);
	case BPF_MEM:
		if (insn->k < BPF_MEMWORDS)
			return machine->memory[insn->k];
		break;
	default:
		break;
	}
	machine->lost = true;
	return 0;
}

static u32 *stored(struct machine *machine, u32 number)
{
	machine->lost |= number >= BPF_MEMWORDS;
	return &machine->memory[number % BPF_MEMWORDS];
}

static u32 compute(struct machine *machine, u32 operation, u32 operand)
{
	switch (operation) {
	case BPF_ADD:
		return machine->a + operand;
	case BPF_SUB:
		return machine->a - operand;
	case BPF_MUL:
		return machine->a * operand;
	case BPF_DIV: /* by 0: the program ends, and returns what kills */
		machine->lost |= !operand;
		return operand ? machine->a / operand : 0;
	case BPF_AND:
		return machine->a & operand;
	case BPF_OR:
		return machine->a | operand;
	case BPF_XOR:
		return machine->a ^ operand;
	case BPF_LSH:
		return machine->a << (operand & WORD_BITS_MASK);
	case BPF_RSH:
		return machine->a >> (operand & WORD_BITS_MASK);
	case BPF_NEG:
		return -machine->a;
	default:
		machine->lost = true;
		return 0;
	}
}

/* How many instructions to pass over. */
static u32 jump(struct machine *machine, const struct sock_filter *insn, u32 operand)
{
	bool met;

	switch (BPF_OP(insn->code)) {
	case BPF_JA:
		return insn->k;
	case BPF_JEQ:
		met = machine->a == operand;
		break;
	case BPF_JGT:
		met = machine->a > operand;
		break;
	case BPF_JGE:
		met = machine->a >= operand;
		break;
	case BPF_JSET:
		met = machine->a & operand;
		break;
	default:
		machine->lost = true;
		return 0;
	}
	return met ? insn->jt : insn->jf;
}

/* All but a return. How many instructions to pass over. */
static u32 step(struct machine *machine, const struct sock_filter *insn)
{
	u32 operand = BPF_SRC(insn->code) == BPF_X ? machine->x : insn->k;

	switch (BPF_CLASS(insn->code)) {
	case BPF_LD:
		machine->a = load(machine, insn);
		return 0;
	case BPF_LDX:
		machine->x = load(machine, insn);
		return 0;
	case BPF_ST:
		*stored(machine, insn->k) = machine->a;
		return 0;
	case BPF_STX:
		*stored(machine, insn->k) = machine->x;
		return 0;
	case BPF_ALU:
		machine->a = compute(machine, BPF_OP(insn->code), operand);
		return 0;
	case BPF_JMP:
		return jump(machine, insn, operand);
	default: /* BPF_MISC */
		if (BPF_MISCOP(insn->code) == BPF_TAX)
			machine->x = machine->a;
		else
			machine->a = machine->x;
		return 0;
	}
}

u32 seccomp_filter_run(const struct sock_filter *code, u32 count, const struct seccomp_data *data)
{
	struct machine machine = {.data = data};

	/* Jumps lead forward only. */
	for (u64 at = 0; at < count && !machine.lost; at++) {
		if (BPF_CLASS(code[at].code) == BPF_RET)
			return BPF_RVAL(code[at].code) == BPF_A ? machine.a : code[at].k;
		at += step(&machine, &code[at]);
	}
	return SECCOMP_RET_KILL_PROCESS;
}

bool seccomp_filter_allows(pid_t tid, const struct seccomp_data *data)
{
	struct sock_filter code[BPF_MAXINSNS];
	int mode = procfs_seccomp(tid);

	if (mode != SECCOMP_MODE_FILTER)
		return mode == SECCOMP_MODE_DISABLED;
	for (unsigned long number = 0; number < FILTERS_MAX; number++) {
		long count = ptrace(PTRACE_SECCOMP_GET_FILTER, tid, number, code);
		u32 action;

		/* There is no further one, and there was one. */
		if (count < 0)
			return errno == ENOENT && number;
		action = seccomp_filter_run(code, (u32)count, data) & SECCOMP_RET_ACTION_FULL;
		if (action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG)
			return false;
	}
	return false;
}
