/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/code_writer.h"

#include <string.h>

void code_put(struct code_writer *writer, const void *bytes, size_t size)
{
	memcpy(writer->bytes + writer->size, bytes, size);
	writer->size += (u32)size;
}

void code_put_u32(struct code_writer *writer, u32 value)
{
	code_put(writer, &value, sizeof(value));
}

u64 code_here(const struct code_writer *writer)
{
	return writer->at + writer->size;
}

void code_put_distance(struct code_writer *writer, u64 target)
{
	s64 distance = (s64)(target - (code_here(writer) + sizeof(s32)));

	writer->too_far |= distance != (s32)distance;
	code_put_u32(writer, (u32)distance);
}

void code_put_registers(struct code_writer *writer, u8 opcode, u8 reg, u8 rm)
{
	CODE_PUT(writer, 0x48 | (reg >> 3) << 2 | rm >> 3, opcode, 0xc0 | (reg & 7) << 3 | (rm & 7));
}

void code_put_move(struct code_writer *writer, u8 to, u8 from)
{
	if (to != from)
		code_put_registers(writer, 0x89, from, to);
}

void code_put_test(struct code_writer *writer, u8 reg)
{
	code_put_registers(writer, 0x85, reg, reg);
}

void code_put_address(struct code_writer *writer, u8 to, u64 address)
{
	CODE_PUT(writer, 0x48 | (to >> 3) << 2, 0x8d, 0x05 | (to & 7) << 3);
	code_put_distance(writer, address);
}

void code_put_label(struct code_writer *writer, u32 label)
{
	writer->places[label] = writer->size;
}

static void put_label_distance(struct code_writer *writer, u32 label)
{
	writer->jumps[writer->jump_count].place = writer->size;
	writer->jumps[writer->jump_count++].label = label;
	code_put_u32(writer, 0);
}

void code_put_branch(struct code_writer *writer, enum code_condition condition, u32 label)
{
	CODE_PUT(writer, 0x0f, 0x80 | condition);
	put_label_distance(writer, label);
}

void code_put_jump(struct code_writer *writer, u32 label)
{
	CODE_PUT(writer, 0xe9);
	put_label_distance(writer, label);
}

void code_resolve(struct code_writer *writer)
{
	for (u32 i = 0; i < writer->jump_count; i++) {
		u32 place = writer->jumps[i].place, distance = writer->places[writer->jumps[i].label] - (place + 4);

		memcpy(writer->bytes + place, &distance, sizeof(distance));
	}
}
