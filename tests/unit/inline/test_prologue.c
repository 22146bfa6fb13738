/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inline/moved_code on the beginnings of real allocators' functions: how much is moved, and that the moved instructions are those of the
 * function, which read, write and jump to the same addresses from their new place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <capstone/capstone.h>

#include "inline/moved_code.h"
#include "unit/inline/prologue.h"

#define FROM	  0x7f0000001000ULL
#define TO	  0x7f0000401000ULL
#define CODE_MAX  32
#define PROLOGUES (sizeof(prologues) / sizeof(*prologues))

static size_t read_code(const struct prologue *prologue, u8 ret_code[CODE_MAX])
{
	size_t size = strlen(prologue->code) / 2;

	assert_true(size <= CODE_MAX);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(sscanf(prologue->code + 2 * i, "%2hhx", &ret_code[i]), 1);
	assert_int_equal(size, prologue->skip + prologue->taken);
	return size;
}

static void move(const struct prologue *prologue, const u8 *code, size_t size, struct moved_code *ret_moved)
{
	const char *refusal = moved_code_make(code, size, FROM, TO, MOVED_CODE_FIRST, ret_moved);

	if (refusal)
		fail_msg("%s %s: %s", prologue->library, prologue->function, refusal);
}

static void test_as_much_is_moved_as_instructions_need(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROLOGUES; i++) {
		const struct prologue *prologue = &prologues[i];
		u8 code[CODE_MAX];
		struct moved_code moved;

		move(prologue, code, read_code(prologue, code), &moved);
		if (moved.skip != prologue->skip || moved.taken != prologue->taken ||
		    moved.place_count != prologue->count + 1)
			fail_msg("%s %s: skip %u, taken %u, %u instructions", prologue->library, prologue->function,
				 moved.skip, moved.taken, moved.place_count - 1);
	}
}

/* --- what the instructions mean --- */

struct decoder {
	csh handle;
	cs_insn *insn;
};

static void decode(struct decoder *decoder, const u8 *bytes, size_t size, u64 address)
{
	assert_true(cs_disasm_iter(decoder->handle, &bytes, &size, &address, decoder->insn));
}

/* The address relative to which an operand is read; otherwise nothing depends on where the instruction is. */
static u64 base_of(const cs_insn *insn, const cs_x86_op *operand)
{
	return operand->mem.base == X86_REG_RIP ? insn->address + insn->size : 0;
}

static bool is_same_operand(const cs_insn *left, const cs_insn *right, u8 number)
{
	const cs_x86_op *a = &left->detail->x86.operands[number], *b = &right->detail->x86.operands[number];

	if (a->type != b->type || a->size != b->size)
		return false;
	switch (a->type) {
	case X86_OP_REG:
		return a->reg == b->reg;
	case X86_OP_IMM:
		return a->imm == b->imm;
	default:
		return a->mem.segment == b->mem.segment && a->mem.base == b->mem.base && a->mem.index == b->mem.index &&
		       a->mem.scale == b->mem.scale &&
		       (u64)a->mem.disp + base_of(left, a) == (u64)b->mem.disp + base_of(right, b);
	}
}

static bool is_same(const cs_insn *left, const cs_insn *right)
{
	bool same = left->id == right->id && left->detail->x86.op_count == right->detail->x86.op_count;

	for (u8 i = 0; same && i < left->detail->x86.op_count; i++)
		same = is_same_operand(left, right, i);
	return same;
}

static void check_instructions(const struct prologue *prologue, struct decoder *one, struct decoder *other)
{
	u8 code[CODE_MAX];
	struct moved_code moved;
	size_t size = read_code(prologue, code);

	move(prologue, code, size, &moved);
	for (u32 i = 0; i + 1 < moved.place_count; i++) {
		const struct moved_place *place = &moved.places[i];

		decode(one, code + place->from, size - place->from, FROM + place->from);
		decode(other, moved.bytes + place->to, moved.size - place->to, TO + place->to);
		if (!is_same(one->insn, other->insn))
			fail_msg("%s %s: %s %s became %s %s", prologue->library, prologue->function,
				 one->insn->mnemonic, one->insn->op_str, other->insn->mnemonic, other->insn->op_str);
	}
}

static void open_decoder(struct decoder *decoder)
{
	assert_int_equal(cs_open(CS_ARCH_X86, CS_MODE_64, &decoder->handle), CS_ERR_OK);
	cs_option(decoder->handle, CS_OPT_DETAIL, CS_OPT_ON);
	decoder->insn = cs_malloc(decoder->handle);
	assert_non_null(decoder->insn);
}

static void close_decoder(struct decoder *decoder)
{
	cs_free(decoder->insn, 1);
	cs_close(&decoder->handle);
}

static void test_moved_instructions_are_those_of_the_function(void **state)
{
	struct decoder one, other;

	(void)state;
	open_decoder(&one);
	open_decoder(&other);
	for (size_t i = 0; i < PROLOGUES; i++)
		check_instructions(&prologues[i], &one, &other);
	close_decoder(&other);
	close_decoder(&one);
}

/* One byte less, and the last instruction is not whole. */
static void test_function_that_ends_within_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < PROLOGUES; i++) {
		u8 code[CODE_MAX];
		struct moved_code moved;
		size_t size = read_code(&prologues[i], code);

		assert_non_null(moved_code_make(code, size - 1, FROM, TO, MOVED_CODE_FIRST, &moved));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_much_is_moved_as_instructions_need),
		cmocka_unit_test(test_moved_instructions_are_those_of_the_function),
		cmocka_unit_test(test_function_that_ends_within_is_refused),
	};

	return cmocka_run_group_tests_name("prologue", tests, NULL, NULL);
}
