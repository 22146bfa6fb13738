/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Code without a rule, since a runtime made it while it ran or wrote it by hand: what its bytes at a return address say.
 * What stands behind one runs when the call has returned, so it proves how its frame is left, whatever the rest of it does.
 *
 *   behind the return address     | what it proves        | whose                                  | source
 *   ------------------------------+-----------------------+----------------------------------------+-------------------------
 *   add $N, %rsp; ret             | N bytes, bp as it was | CPython 3.12 to 3.14, perf trampolines | Python/asm_trampoline.S
 *   pop %rbp; ret                 | bp, saved on top      | CPython after 3.14, perf trampolines   | the same
 *   mov 48(%rsp), %rdi;           | the goroutine's stack | Go 1.19, asmcgocall                    | runtime/asm_amd64.s
 *     mov 8(%rdi), %rsi;          |                       |                                        |
 *     sub 40(%rsp), %rsi          |                       |                                        |
 *   mov 8(%rsp), %rdi;            | the same, bp on top   | Go 1.24, asmcgocall                    | the same
 *     mov 8(%rdi), %rsi;          |                       |                                        |
 *     sub (%rsp), %rsi            |                       |                                        |
 *   mov 40(%rsp), %rsi;           | sp as it was          | Go 1.19, asmcgocall on its C stack     | the same
 *     mov %rsi, %rsp              |                       |                                        |
 *   mov (%rsp), %rsi;             | the same, bp on top   | Go 1.24, asmcgocall on its C stack     | the same
 *     mov %rsi, %rsp              |                       |                                        |
 *   mov -16(%rbp), %rsp;          | a frame pointer,      | HotSpot 17 to 21, interpreter          | templateInterpreter-
 *     movq $0, -16(%rbp)          |   reached by a jump   |                                        |   Generator_x86.cpp,
 *   mov -16(%rbp), %rcx;          | the same              | HotSpot 25, interpreter                |   generate_return_-
 *     lea (%rbp,%rcx,8), %rsp;    |                       |                                        |   entry_for
 *     movq $0, -16(%rbp)          |                       |                                        |
 *   mov $here, %r10; push %r10;   | a frame pointer, put  | HotSpot 17, compiled code that is      | emit_deopt_handler,
 *     jmp                         |   there for a call's  |   given up                             |   c1_LIRAssembler_x86.cpp
 */
#include "unwind.h"

/* What code without a rule is taken to have, if what that leads to bears it out: a frame pointer. */
#define UNWIND_FRAME_POINTER                                                                                           \
	((struct unwind_rule){.cfa = CFA_BP, .bp = SAVED_AT_CFA, .bx = SAVED_LOST, .bp_offset = -16, .offset = 16})

/*
 * Whether a call ends at the end of these bytes, as before every return address: e8 and 4 bytes, or ff with 2 in the middle of the
 * next byte (ModRM), which tells by how many more it is followed. Intel's manual, volume 2, CALL and table 2-2.
 */
#define UNWIND_CALL_BYTES 7

static inline __attribute__((always_inline)) int unwind_is_call(const u8 code[UNWIND_CALL_BYTES])
{
	if (code[2] == 0xe8)
		return 1;
	/* [reg] and reg; [reg + disp8] or [sib]; [sib + disp8]; [disp32]; [sib + disp32] */
	return (code[5] == 0xff && (code[6] & 0x38) == 0x10) || (code[4] == 0xff && (code[5] & 0x38) == 0x10) ||
	       (code[3] == 0xff && (code[4] & 0x38) == 0x10) || (code[1] == 0xff && (code[2] & 0x38) == 0x10) ||
	       (code[0] == 0xff && (code[1] & 0x38) == 0x10);
}

/* Whether the code behind a return address says how its frame is left; the rule is then that of the frame. */
#define UNWIND_BEHIND_BYTES	17
#define UNWIND_BEHIND_BYTES_MIN 5 /* of code that its mapping ends behind */

/*
 * Whether the code begins with `known`, as much of it as its row has. The compiler must not see what the difference of all bytes is for:
 * it would compare one by one, and the verifier would follow every combination of them.
 */
#define UNWIND_BEGINS(code, ...)                                                                                       \
	({                                                                                                             \
		static const u8 known_[] = {__VA_ARGS__};                                                              \
		u64 other_ = 0;                                                                                        \
                                                                                                                       \
		_Pragma("GCC unroll 20") for (u32 i_ = 0; i_ < sizeof(known_); i_++) other_ |=                         \
			(code)[i_] ^ known_[i_];                                                                       \
		asm volatile("" : "+r"(other_) : : "memory");                                                          \
		!other_;                                                                                               \
	})

static inline __attribute__((always_inline)) int unwind_leaves(const u8 code[UNWIND_BEHIND_BYTES],
							       struct unwind_rule *ret_rule)
{
	struct unwind_rule rule = {.cfa = CFA_SP};

	if (UNWIND_BEGINS(code, 0x48, 0x83, 0xc4) && !(code[3] & 0x87) && code[4] == 0xc3)
		rule.offset = code[3] + 8;
	else if (UNWIND_BEGINS(code, 0x5d, 0xc3))
		rule = (struct unwind_rule){.cfa = CFA_SP, .offset = 16, .bp = SAVED_AT_CFA, .bp_offset = -16};
	else if (UNWIND_BEGINS(code, 0x48, 0x8b, 0x7c, 0x24, 0x30, 0x48, 0x8b, 0x77, 0x08, 0x48, 0x2b, 0x74, 0x24,
			       0x28))
		rule = (struct unwind_rule){.cfa = CFA_GOROUTINE, .at = 40, .offset = 8, .switches = 1};
	else if (UNWIND_BEGINS(code, 0x48, 0x8b, 0x7c, 0x24, 0x08, 0x48, 0x8b, 0x77, 0x08, 0x48, 0x2b, 0x34, 0x24))
		rule = (struct unwind_rule){
			.cfa = CFA_GOROUTINE, .offset = 16, .switches = 1, .bp = SAVED_AT_CFA, .bp_offset = -16};
	else if (UNWIND_BEGINS(code, 0x48, 0x8b, 0x74, 0x24, 0x28, 0x48, 0x89, 0xf4, 0x89, 0x44, 0x24, 0x18, 0xc3))
		rule = (struct unwind_rule){.cfa = CFA_SP_DEREF, .at = 40, .offset = 8};
	else if (UNWIND_BEGINS(code, 0x48, 0x8b, 0x34, 0x24, 0x48, 0x89, 0xf4, 0x89, 0x44, 0x24, 0x20, 0x5d, 0xc3))
		rule = (struct unwind_rule){.cfa = CFA_SP_DEREF, .offset = 16, .bp = SAVED_AT_CFA, .bp_offset = -16};
	else
		return 0;
	*ret_rule = rule;
	return 1;
}

/*
 * Whether HotSpot goes on at `ip` without a call before it: its interpreter pushes such an address and jumps, and code that
 * is given up has its return address replaced by that of a handler, which begins with its own address.
 */
static inline __attribute__((always_inline)) int unwind_is_hotspots(const u8 code[UNWIND_BEHIND_BYTES], u64 ip)
{
	u64 other = (code[0] ^ 0x49) | (code[1] ^ 0xba) | (code[10] ^ 0x41) | (code[11] ^ 0x52) | (code[12] ^ 0xe9);

	_Pragma("GCC unroll 8") for (u32 i = 0; i < sizeof(ip); i++) other |= code[2 + i] ^ (u8)(ip >> 8 * i);
	asm volatile("" : "+r"(other) : : "memory"); /* as above */
	return !other || UNWIND_BEGINS(code, 0x48, 0x8b, 0x65, 0xf0, 0x48, 0xc7, 0x45, 0xf0, 0, 0, 0, 0) ||
	       UNWIND_BEGINS(code, 0x48, 0x8b, 0x4d, 0xf0, 0x48, 0x8d, 0x64, 0xcd, 0, 0x48, 0xc7, 0x45, 0xf0, 0, 0, 0,
			     0);
}
