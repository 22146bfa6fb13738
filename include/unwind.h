/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Unwinding by table, for both sides: the programs walk a stack where it was sampled, user space walks those that were
 * sampled before their tables were ready. x86-64: this file and user/unwind/cfi_rule.c are what another architecture provides
 * again.
 *
 * A table is made once per file from its call frame information: for every code address a rule that leads from a
 * frame's registers to its caller's. Followed are ip, sp, bp and bx: no compiler keeps the base of a frame that calls
 * anything in another (the dynamic linker's resolvers use bx). Hand-written code that calls nothing may use any register, and a signal may
 * interrupt it: but then the kernel has put all of them on the stack.
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
	CFA_UNKNOWN = 0,  /* no information, or an expression we do not know */
	CFA_END = 1,	  /* the return address is undefined: the stack ends here, complete */
	CFA_SP = 2,	  /* cfa = sp + offset */
	CFA_BP = 3,	  /* cfa = bp + offset */
	CFA_PLT = 4,	  /* cfa = sp + 8 + ((ip & 15) >= offset ? 8 : 0): a lazy PLT entry */
	CFA_SIGNAL = 5,	  /* a signal frame: all registers are in the ucontext, at sp + UNWIND_SIGNAL_* */
	CFA_BP_DEREF = 6, /* cfa = *(bp + at) + offset: a function that realigned its stack */
	CFA_BX = 7,	  /* cfa = bx + offset */
	CFA_SP_DEREF = 8, /* cfa = *(sp + at) + offset */
	CFA_SIGNALED =
		9, /* cfa = register + offset, the register in the ucontext, at `at`; only where a signal struck */
	CFA_GOROUTINE =
		10, /* cfa = *(g + 8) - *(sp + at) + offset, g = *(sp + at + 8): from Go's C stack to the goroutine's */
	CFA_SP_DEREF_TWICE = 11, /* cfa = *(*(sp + at)) + offset */
	CFA_CUT = 12,		 /* what is known of the code is wrong: no rule, nor a frame pointer */
};

/* Where the caller's bp and bx are. */
enum unwind_saved {
	SAVED_NOT = 0,	  /* still in their register */
	SAVED_AT_CFA = 1, /* at cfa + its offset */
	SAVED_AT_BP = 2,  /* at bp + its offset, of bp before the step */
	SAVED_LOST = 3,	  /* nowhere: 0 from here on */
};

struct unwind_rule {
	u8 cfa;	     /* enum unwind_cfa */
	u8 bp, bx;   /* enum unwind_saved */
	u8 switches; /* 1: the caller's frame is on another stack, which may be anywhere */
	s32 offset;
	s16 bp_offset, bx_offset;
	s32 at;
};

_Static_assert(sizeof(struct unwind_rule) == 16, "unwind_rule");

/* Offsets from sp at the return of a signal handler: struct rt_sigframe without its return address (kernel ABI). */
#define UNWIND_SIGNAL_REGISTER(number) (40 + (number)*8) /* by its number in ucontext's gregs */
#define UNWIND_SIGNAL_BP	       UNWIND_SIGNAL_REGISTER(10)
#define UNWIND_SIGNAL_BX	       UNWIND_SIGNAL_REGISTER(11)
#define UNWIND_SIGNAL_SP	       UNWIND_SIGNAL_REGISTER(15)
#define UNWIND_SIGNAL_IP	       UNWIND_SIGNAL_REGISTER(16)

struct unwind_registers {
	u64 ip, sp, bp, bx;
	u64 signal; /* where a signal struck, the sp of its frame; else 0 */
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
	UNWIND_TRUNCATED = 2,  /* at the root, but too deep for all frames to be kept */
	UNWIND_NO_MAPPING = 3, /* code in no known mapping */
	UNWIND_NO_TABLE = 4,   /* its table is not ready: the raw stack goes to user space */
	UNWIND_NO_RULE = 5,    /* CFA_UNKNOWN */
	UNWIND_UNREADABLE = 6, /* the stack could not be read */
	UNWIND_STUCK = 7,      /* the stack pointer did not move towards the root: corrupt */
	UNWIND_TOO_DEEP = 8,   /* the root is too far to be walked to */
};

/*
 * One step: registers of a frame to those of its caller, by `rule`. `read(arg, addr, ret_value)` reads a word of the
 * stack, 0 on success; a function-like macro or inline function of the includer. Evaluates to an enum unwind_end.
 */
#define UNWIND_STEP(registers, rule, read, arg) unwind_step_with_##read(registers, rule, arg)

#define UNWIND_DEFINE_STEP(read)                                                                                       \
	static inline __attribute__((always_inline)) int unwind_saved_with_##read(                                     \
		const struct unwind_registers *registers, u64 cfa, u32 saved, s16 offset, u64 *value, void *arg)       \
	{                                                                                                              \
		if (saved == SAVED_AT_CFA)                                                                             \
			return read(arg, cfa + (s64)offset, value);                                                    \
		if (saved == SAVED_AT_BP)                                                                              \
			return read(arg, registers->bp + (s64)offset, value);                                          \
		if (saved == SAVED_LOST)                                                                               \
			*value = 0;                                                                                    \
		return 0;                                                                                              \
	}                                                                                                              \
                                                                                                                       \
	/* asmcgocall's frame on the C stack has g, and the depth of the goroutine's stack as it was left. */          \
	static inline __attribute__((always_inline)) int unwind_goroutine_with_##read(                                 \
		const struct unwind_registers *registers, s32 at, u64 *ret_sp, void *arg)                              \
	{                                                                                                              \
		u64 depth, g, top;                                                                                     \
                                                                                                                       \
		if (read(arg, registers->sp + (s64)at, &depth) || read(arg, registers->sp + (s64)at + 8, &g) ||        \
		    read(arg, g + 8, &top))                                                                            \
			return -1;                                                                                     \
		*ret_sp = top - depth;                                                                                 \
		return 0;                                                                                              \
	}                                                                                                              \
                                                                                                                       \
	static inline __attribute__((always_inline)) enum unwind_end unwind_signal_with_##read(                        \
		struct unwind_registers *registers, void *arg)                                                         \
	{                                                                                                              \
		struct unwind_registers next = {.signal = registers->sp};                                              \
                                                                                                                       \
		if (read(arg, next.signal + UNWIND_SIGNAL_IP, &next.ip) ||                                             \
		    read(arg, next.signal + UNWIND_SIGNAL_BP, &next.bp) ||                                             \
		    read(arg, next.signal + UNWIND_SIGNAL_BX, &next.bx) ||                                             \
		    read(arg, next.signal + UNWIND_SIGNAL_SP, &next.sp))                                               \
			return UNWIND_UNREADABLE;                                                                      \
		*registers = next;                                                                                     \
		return UNWIND_GOES_ON;                                                                                 \
	}                                                                                                              \
                                                                                                                       \
	static inline __attribute__((always_inline)) enum unwind_end unwind_step_with_##read(                          \
		struct unwind_registers *registers, const struct unwind_rule *rule, void *arg)                         \
	{                                                                                                              \
		struct unwind_registers next = {.bp = registers->bp, .bx = registers->bx};                             \
		u64 base = 0, at = 0;                                                                                  \
                                                                                                                       \
		switch (rule->cfa) {                                                                                   \
		case CFA_SP:                                                                                           \
			base = registers->sp;                                                                          \
			break;                                                                                         \
		case CFA_BP:                                                                                           \
			base = registers->bp;                                                                          \
			break;                                                                                         \
		case CFA_BX:                                                                                           \
			base = registers->bx;                                                                          \
			break;                                                                                         \
		case CFA_PLT:                                                                                          \
			base = registers->sp + ((registers->ip & 15) >= (u64)rule->offset ? 16 : 8) -                  \
			       (s64)rule->offset;                                                                      \
			break;                                                                                         \
		case CFA_SP_DEREF:                                                                                     \
		case CFA_SP_DEREF_TWICE:                                                                               \
			at = registers->sp;                                                                            \
			break;                                                                                         \
		case CFA_BP_DEREF:                                                                                     \
			at = registers->bp;                                                                            \
			break;                                                                                         \
		case CFA_SIGNALED:                                                                                     \
			at = registers->signal;                                                                        \
			if (!at)                                                                                       \
				return UNWIND_NO_RULE;                                                                 \
			break;                                                                                         \
		case CFA_GOROUTINE:                                                                                    \
			if (unwind_goroutine_with_##read(registers, rule->at, &base, arg))                             \
				return UNWIND_UNREADABLE;                                                              \
			break;                                                                                         \
		case CFA_SIGNAL:                                                                                       \
			return unwind_signal_with_##read(registers, arg);                                              \
		case CFA_END:                                                                                          \
			return UNWIND_COMPLETE;                                                                        \
		default:                                                                                               \
			return UNWIND_NO_RULE;                                                                         \
		}                                                                                                      \
		if (at && read(arg, at + (s64)rule->at, &base))                                                        \
			return UNWIND_UNREADABLE;                                                                      \
		if (rule->cfa == CFA_SP_DEREF_TWICE && read(arg, base, &base))                                         \
			return UNWIND_UNREADABLE;                                                                      \
		next.sp = base + (s64)rule->offset;                                                                    \
		if (unwind_saved_with_##read(registers, next.sp, rule->bp, rule->bp_offset, &next.bp, arg) ||          \
		    unwind_saved_with_##read(registers, next.sp, rule->bx, rule->bx_offset, &next.bx, arg) ||          \
		    read(arg, next.sp - 8, &next.ip))                                                                  \
			return UNWIND_UNREADABLE;                                                                      \
		if (!rule->switches && next.sp <= registers->sp)                                                       \
			return UNWIND_STUCK;                                                                           \
		*registers = next;                                                                                     \
		return next.ip ? UNWIND_GOES_ON : UNWIND_COMPLETE;                                                     \
	}

/* One executable mapping of a process, as the programs know it; ascending by start, not overlapping. */
struct unwind_mapping {
	u64 start, end;
	u64 file_offset;
	union {
		struct {
			u32 table; /* index of its word 0 in the rows array; 0: not ready (or none: see flags) */
			u32 flags; /* above UNWIND_NUMBER_SHIFT the table's number, see below */
		};
		u64 table_and_flags; /* as they belong together */
	};
};

/*
 * A file as the kernel knows it, and its table, for walks of processes whose list is not there yet: they ask the kernel for the mapping.
 * In one of the UNWIND_FILE_PROBES rows from unwind_file_place() on; a row of inode 0 is free. User space clears the last field before
 * it gives a table's words to another, so whoever finds it unchanged behind a search knows that the search was right.
 */
struct unwind_file {
	u64 inode;
	u64 device; /* in the kernel's own way of writing it */
	u64 table_and_flags;
	u64 reserved;
};

#define UNWIND_FILE_PROBES 8

/* Multiplied by 2^64 / golden ratio. */
static inline __attribute__((always_inline)) u32 unwind_file_place(u64 inode, u64 device)
{
	return (u32)((inode ^ device << 32) * 0x9e3779b97f4a7c15ull >> 40);
}

#define UNWIND_MAPPING_NO_TABLE	 (1 << 0) /* there will never be one (JIT code): do not send raw stacks for it */
#define UNWIND_MAPPING_FRAMELESS (1 << 1) /* nor is bp a frame pointer in it */

/*
 * Rules found lately, so that frames which come again need no search: a word for each of some places, 0 at first. Tables have numbers for
 * that, never used again, 0 being none's: what is left in a word after its table has given way is looked for no more.
 *
 *   place    the offset's low bits xor the number's
 *   word     bits 0 - 15 the rule, 16 - 35 the rest of the offset, 36 - 59 the number
 */
#define UNWIND_NUMBER_SHIFT 8
#define UNWIND_NUMBER_MAX   0xffffff
#define UNWIND_FOUND_BITS   12
#define UNWIND_FOUND_MAX    (1 << UNWIND_FOUND_BITS)

static inline __attribute__((always_inline)) u32 unwind_found_place(u32 number, u64 offset)
{
	return (u32)(number ^ offset) % UNWIND_FOUND_MAX;
}

/* Bits 16 and up of the word; 0: not to be remembered. */
static inline __attribute__((always_inline)) u64 unwind_found_name(u32 number, u64 offset)
{
	return number && !(offset >> 32) ? (u64)number << 20 | offset >> UNWIND_FOUND_BITS : 0;
}
