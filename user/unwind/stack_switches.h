/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Functions of runtimes that change stacks, and of which call frame information says what is not so: it leads to callers that
 * never were. A rule for each takes its place.
 *
 *   Go 1.19, 1.24 (runtime/asm_amd64.s): the linker has them stay on one stack
 *     asmcgocall            | CFA_UNKNOWN: what is behind its calls of C says how they are left (include/unwind_code.h)
 *     systemstack           | bp, which is on the goroutine's stack, if it keeps one (from 1.21 on); else CFA_CUT
 *     cgocallback           | CFA_CUT: C's frames are between it and the ones that its goroutine's stack goes on with
 *     mcall, morestack,     | CFA_END: Go's own traceback ends there (above goexit is what an earlier goroutine left)
 *       rt0_go, goexit      |
 *   OCaml 5.3 (asmcomp/amd64/emit.ml): where a function finds too little stack, before it has made its frame, the compiler says
 *   that the frame is there
 *     caml_call_realloc_stack | CFA_CUT
 */
#include "include/types.h"
#include "include/unwind.h"
#include "binary/elf.h"

#define STACK_SWITCHES_MAX 8

struct stack_switches {
	u32 count;
	struct {
		u64 offset; /* of its code in the file */
		struct unwind_rule rule;
	} functions[STACK_SWITCHES_MAX];
};

/* Whether the file is Go's: it has a note of the linker. */
bool stack_switches_is_go(const struct elf *elf);

/* Those of the file by its symbols. */
void stack_switches_read(struct elf *elf, struct stack_switches *ret_list);

/* The rule that holds in all of the function that begins there; NULL: it is none of these. */
const struct unwind_rule *stack_switches_rule(const struct stack_switches *list, u64 offset);
