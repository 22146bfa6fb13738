/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Machine code, instruction by instruction: bytes for a place that they are put into later, and jumps within them. */
#include <stddef.h>

#include "include/types.h"

/* As instructions number them. */
enum code_register {
	RAX = 0,
	R10 = 10,
	R11 = 11
};

/* How an instruction's one byte of condition goes on: jcc is 0f 80+. */
enum code_condition {
	OVERFLOW = 0x0,
	EQUAL = 0x4,
	NOT_EQUAL = 0x5,
	BELOW_OR_EQUAL = 0x6,
	NEGATIVE = 0x8,
	NOT_NEGATIVE = 0x9
};

#define CODE_LABELS_MAX 8
#define CODE_JUMPS_MAX	12

struct code_writer {
	u8 *bytes; /* the caller's, as many as it writes */
	u32 size;
	u64 at; /* virtual address of the first one */
	u32 places[CODE_LABELS_MAX];
	struct {
		u32 place; /* of the displacement */
		u32 label;
	} jumps[CODE_JUMPS_MAX];
	u32 jump_count;
	bool too_far; /* something is more than 2 GiB away */
};

void code_put(struct code_writer *writer, const void *bytes, size_t size);
void code_put_u32(struct code_writer *writer, u32 value);

#define CODE_PUT(writer, ...) code_put(writer, (const u8[]){__VA_ARGS__}, sizeof((const u8[]){__VA_ARGS__}))

/* The virtual address of what is put next. */
u64 code_here(const struct code_writer *writer);

/* A displacement, which ends the instruction. */
void code_put_distance(struct code_writer *writer, u64 target);

/* An operation of 64 bits on two registers; `reg` and `rm` as the opcode has them. */
void code_put_registers(struct code_writer *writer, u8 opcode, u8 reg, u8 rm);
void code_put_move(struct code_writer *writer, u8 to, u8 from); /* none, if they are the same */
void code_put_test(struct code_writer *writer, u8 reg);
void code_put_address(struct code_writer *writer, u8 to, u64 address);

/* Labels are the caller's numbers, put before or after the jumps to them; code_resolve comes last. */
void code_put_label(struct code_writer *writer, u32 label);
void code_put_branch(struct code_writer *writer, enum code_condition condition, u32 label);
void code_put_jump(struct code_writer *writer, u32 label);
void code_resolve(struct code_writer *writer);
