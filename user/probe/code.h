/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The instructions of a file by file offset, and the functions that its branches lead to: through the PLT by relocations. */
#include <capstone/capstone.h>

#include "binary/elf.h"

struct elf_dynamic;
struct code;

/* The function that a branch leads to. */
struct code_place {
	u64 offset;	  /* in this file; 0: elsewhere, or not known */
	const char *name; /* NULL: not known; valid as long as the code */
};

/* `dynamic` may be NULL; both are borrowed. NULL: no memory. */
struct code *code_new(struct elf *elf, const struct elf_dynamic *dynamic);
void code_free(struct code *code);

/* The instruction there, in detail, until the next call of a function of this file; NULL: none. */
const cs_insn *code_at(struct code *code, u64 offset);

/* Does a function begin there, as far as names and endbr64 tell? */
bool code_begins(struct code *code, u64 offset);

/* How long the function is that begins there, by its symbol; 0: not known. */
u64 code_size(const struct code *code, u64 offset);

/*
 * Where a call or jump leads: to a known address, or through memory at a known address that the loader fills. False: neither,
 * and *ret_place is empty.
 */
bool code_target(struct code *code, const cs_insn *insn, struct code_place *ret_place);

/* The registers that the instruction writes, or parts of them, also unsaid; how many, or -1: not known. */
int code_writes(const struct code *code, const cs_insn *insn, cs_regs written);

/* Does the instruction write the register that holds results, or part of it? */
bool code_writes_result(const struct code *code, const cs_insn *insn);
