/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/incoming_branch.h"

#include <capstone/capstone.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#define INSTRUCTION_MAX 15

static int range_of(u64 address, const struct branch_range *ranges, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (address >= ranges[i].start && address < ranges[i].end)
			return (int)i;
	return -1;
}

/* --- near ones --- */

/* Does the opcode of a jump, a call, or a conditional jump (two bytes) end there? */
static bool ends_opcode(const u8 *text, size_t at)
{
	return text[at] == 0xe8 || text[at] == 0xe9 || ((text[at] & 0xf0) == 0x80 && at > 0 && text[at - 1] == 0x0f);
}

int incoming_branch_near(const u8 *text, size_t size, u64 address, const struct branch_range *ranges,
			 unsigned int count)
{
	u64 low = ~0ULL, high = 0;

	for (unsigned int i = 0; i < count; i++) {
		low = ranges[i].start < low ? ranges[i].start : low;
		high = ranges[i].end > high ? ranges[i].end : high;
	}
	/* Four bytes of displacement end the instruction. Few of them lead so near, so that is asked first. */
	for (size_t i = 1; i + sizeof(s32) <= size; i++) {
		s32 displacement;
		u64 target;
		int range;

		memcpy(&displacement, text + i, sizeof(displacement));
		target = address + i + sizeof(displacement) + (u64)(s64)displacement;
		if (target - low >= high - low || !ends_opcode(text, i - 1))
			continue;
		range = range_of(target, ranges, count);
		if (range >= 0)
			return range;
	}
	return -1;
}

/* --- short ones --- */

static bool is_prefix(u8 byte)
{
	static const u8 prefixes[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3};

	return (byte & 0xf0) == 0x40 || memchr(prefixes, byte, sizeof(prefixes));
}

/* A jump, a conditional one, or a loop: its last byte is the displacement. */
static bool is_short_branch(const u8 *instruction, size_t size)
{
	u8 opcode;

	while (size > 2 && is_prefix(*instruction)) {
		instruction++;
		size--;
	}
	opcode = *instruction;
	return size == 2 && (opcode == 0xeb || (opcode & 0xf0) == 0x70 || (opcode & 0xfc) == 0xe0);
}

struct search {
	csh decoder;
	cs_insn *insn;
	const u8 *text;
	size_t size;
	u64 address;
	const struct branch_range *range;
	bool seen[INCOMING_BRANCH_BEFORE + INCOMING_BRANCH_BEHIND + 2 * INSTRUCTION_MAX];
};

/* Instruction by instruction from there on, until the way joins one that was gone before. */
static bool finds_from(struct search *search, size_t at)
{
	while (at < search->size && !search->seen[at]) {
		const u8 *rest = search->text + at;
		size_t left = search->size - at;
		u64 next = search->address + at;

		search->seen[at] = true;
		if (!cs_disasm_iter(search->decoder, &rest, &left, &next, search->insn)) {
			at++;
			continue;
		}
		at += search->insn->size;
		if (is_short_branch(search->insn->bytes, search->insn->size) &&
		    range_of(next + (u64)(s64)(int8_t)rest[-1], search->range, 1) == 0)
			return true;
	}
	return false;
}

int incoming_branch_short(const u8 *text, size_t size, u64 address, const struct branch_range *range)
{
	struct search search = {.text = text, .size = size, .address = address, .range = range};
	int found = -ENOMEM;

	if (size > sizeof(search.seen))
		search.size = sizeof(search.seen);
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &search.decoder))
		return -ENOMEM;
	search.insn = cs_malloc(search.decoder);
	if (search.insn) {
		found = 0;
		for (size_t i = 0; i < INSTRUCTION_MAX && !found; i++)
			found = finds_from(&search, i);
		cs_free(search.insn, 1);
	}
	cs_close(&search.decoder);
	return found;
}
