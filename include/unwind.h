/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNWIND_H
#define UNWIND_H
/*
 * Unwinding by table, for both sides: the programs walk a stack where it was sampled, user space walks those that were
 * sampled before their tables were ready. x86-64: this file and user/cfirule.c are what another architecture provides
 * again.
 *
 * A table is made once per file from its call frame information: for every code address a rule that leads from a
 * frame's registers to its caller's. Only three registers are followed: ip, sp and bp; of the code Debian ships fewer
 * than one row in a thousand needs another.
 *
 * A table, as words of 32 bits:
 *   word 0                    number of pages P: the file's code, in pages of 64 KiB of file offset, from page 0 on
 *   words 1 .. P + 1          index, from word 0 on, of the first row of each page; the last one ends the last page
 *   then the rows             low half: file offset within the page; high half: index of the rule in force from there
 * on. Ascending in each page; every page begins with a row of offset 0. Rules are shared by all tables.
 */
#include "types.h"

#define UNWIND_PAGE_SHIFT 16
#define UNWIND_RULES_MAX  65536

enum unwind_cfa {
	CFA_UNKNOWN = 0,  /* no information, or an expression we do not know: the stack ends here, incomplete */
	CFA_END = 1,	  /* the return address is undefined: the stack ends here, complete */
	CFA_SP = 2,	  /* cfa = sp + offset */
	CFA_BP = 3,	  /* cfa = bp + offset */
	CFA_PLT = 4,	  /* cfa = sp + 8 + ((ip & 15) >= offset ? 8 : 0): a lazy PLT entry */
	CFA_SIGNAL = 5,	  /* a signal frame: all registers are in the ucontext, at sp + UNWIND_SIGNAL_* */
	CFA_BP_DEREF = 6, /* cfa = *(bp + bp_offset) + offset; bp = *bp: a function that realigned its stack */
};

enum unwind_bp {
	BP_SAME = 0,  /* bp is the caller's already */
	BP_SAVED = 1, /* bp = *(cfa + bp_offset) */
};

struct unwind_rule {
	u8 cfa; /* enum unwind_cfa */
	u8 bp;	/* enum unwind_bp */
	s16 bp_offset;
	s32 offset;
};

_Static_assert(sizeof(struct unwind_rule) == 8, "unwind_rule");

/* Offsets from sp at the return of a signal handler: struct rt_sigframe without its return address (kernel ABI). */
#define UNWIND_SIGNAL_BP (40 + 10 * 8)
#define UNWIND_SIGNAL_SP (40 + 15 * 8)
#define UNWIND_SIGNAL_IP (40 + 16 * 8)

struct unwind_registers {
	u64 ip, sp, bp;
};

/*
 * Code that says nothing of its frame is the process's entry point if bp is 0, as the ABI has it there, and the word at sp is
 * argc: no return address is that small.
 */
#define UNWIND_ARGC_MAX 65536

/* How a walk ended. */
enum unwind_end {
	UNWIND_GOES_ON = 0,
	UNWIND_COMPLETE = 1,   /* at the root */
	UNWIND_TRUNCATED = 2,  /* too deep */
	UNWIND_NO_MAPPING = 3, /* code in no known mapping */
	UNWIND_NO_TABLE = 4,   /* its table is not ready: the raw stack goes to user space */
	UNWIND_NO_RULE = 5,    /* CFA_UNKNOWN */
	UNWIND_UNREADABLE = 6, /* the stack could not be read */
	UNWIND_STUCK = 7,      /* the stack pointer did not move towards the root: corrupt */
};

/*
 * One step: registers of a frame to those of its caller, by `rule`. `read(arg, addr, ret_value)` reads a word of the
 * stack, 0 on success; a function-like macro or inline function of the includer. Evaluates to an enum unwind_end.
 */
#define UNWIND_STEP(registers, rule, read, arg) unwind_step_with_##read(registers, rule, arg)

#define UNWIND_DEFINE_STEP(read)                                                                                       \
	static inline __attribute__((always_inline)) enum unwind_end unwind_step_with_##read(                          \
		struct unwind_registers *registers, const struct unwind_rule *rule, void *arg)                         \
	{                                                                                                              \
		u64 cfa, ip, bp = registers->bp;                                                                       \
                                                                                                                       \
		switch (rule->cfa) {                                                                                   \
		case CFA_SP:                                                                                           \
			cfa = registers->sp + (s64)rule->offset;                                                       \
			break;                                                                                         \
		case CFA_BP:                                                                                           \
			cfa = registers->bp + (s64)rule->offset;                                                       \
			break;                                                                                         \
		case CFA_PLT:                                                                                          \
			cfa = registers->sp + 8 + ((registers->ip & 15) >= (u64)rule->offset ? 8 : 0);                 \
			break;                                                                                         \
		case CFA_BP_DEREF:                                                                                     \
			if (read(arg, registers->bp + (s64)rule->bp_offset, &cfa) || read(arg, registers->bp, &bp))    \
				return UNWIND_UNREADABLE;                                                              \
			cfa += (s64)rule->offset;                                                                      \
			break;                                                                                         \
		case CFA_SIGNAL:                                                                                       \
			if (read(arg, registers->sp + UNWIND_SIGNAL_IP, &ip) ||                                        \
			    read(arg, registers->sp + UNWIND_SIGNAL_BP, &bp) ||                                        \
			    read(arg, registers->sp + UNWIND_SIGNAL_SP, &cfa))                                         \
				return UNWIND_UNREADABLE;                                                              \
			*registers = (struct unwind_registers){.ip = ip, .sp = cfa, .bp = bp};                         \
			return UNWIND_GOES_ON;                                                                         \
		case CFA_END:                                                                                          \
			return UNWIND_COMPLETE;                                                                        \
		default:                                                                                               \
			return UNWIND_NO_RULE;                                                                         \
		}                                                                                                      \
		if (rule->bp == BP_SAVED && read(arg, cfa + (s64)rule->bp_offset, &bp))                                \
			return UNWIND_UNREADABLE;                                                                      \
		if (read(arg, cfa - 8, &ip))                                                                           \
			return UNWIND_UNREADABLE;                                                                      \
		if (cfa <= registers->sp)                                                                              \
			return UNWIND_STUCK;                                                                           \
		*registers = (struct unwind_registers){.ip = ip, .sp = cfa, .bp = bp};                                 \
		return ip ? UNWIND_GOES_ON : UNWIND_COMPLETE;                                                          \
	}

/* One executable mapping of a process, as the programs know it; ascending by start, not overlapping. */
struct unwind_mapping {
	u64 start, end;
	u64 file_offset;
	u32 table; /* index of the table's word 0 in the rows array; 0: not ready (or none: see flags) */
	u32 flags;
};

#define UNWIND_MAPPING_NO_TABLE (1 << 0) /* there will never be one (JIT code): do not send raw stacks for it */

#endif
