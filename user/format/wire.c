/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "format/wire.h"

#include <stdlib.h>
#include <string.h>

#define VARINT_MAX 10 /* bytes of the longest */

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_LENGTH = 2,
};

void wire_release(struct wire *wire)
{
	free(wire->bytes);
	*wire = (struct wire){0};
}

static bool has_room(struct wire *wire, size_t more)
{
	size_t capacity = wire->capacity ? wire->capacity : 256;
	u8 *grown;

	if (wire->failed || wire->size + more <= wire->capacity)
		return !wire->failed;
	while (capacity < wire->size + more)
		capacity *= 2;
	grown = realloc(wire->bytes, capacity);
	wire->failed = !grown;
	if (!grown)
		return false;
	wire->bytes = grown;
	wire->capacity = capacity;
	return true;
}

static u8 *put_varint(u8 *at, u64 value)
{
	for (; value >= 0x80; value >>= 7)
		*at++ = (u8)(value | 0x80);
	*at++ = (u8)value;
	return at;
}

void wire_put_varint(struct wire *wire, u64 value)
{
	if (has_room(wire, VARINT_MAX))
		wire->size = (size_t)(put_varint(wire->bytes + wire->size, value) - wire->bytes);
}

void wire_put_indices(struct wire *wire, const u32 *indices, size_t count)
{
	u8 *at;

	if (!has_room(wire, count * VARINT_MAX))
		return;
	at = wire->bytes + wire->size;
	for (size_t i = 0; i < count; i++)
		at = put_varint(at, indices[i] + 1UL);
	wire->size = (size_t)(at - wire->bytes);
}

static void put_tag(struct wire *wire, u32 field, enum wire_type type)
{
	wire_put_varint(wire, (u64)field << 3 | type);
}

void wire_put_number(struct wire *wire, u32 field, u64 value)
{
	if (!value)
		return;
	put_tag(wire, field, WIRE_VARINT);
	wire_put_varint(wire, value);
}

void wire_put_bytes(struct wire *wire, const void *bytes, size_t size)
{
	if (!size || !has_room(wire, size))
		return;
	memcpy(wire->bytes + wire->size, bytes, size);
	wire->size += size;
}

/* A byte is left for the length: most are shorter than 128. */
size_t wire_begin(struct wire *wire, u32 field)
{
	put_tag(wire, field, WIRE_LENGTH);
	wire_put_bytes(wire, "", 1);
	return wire->size;
}

void wire_end(struct wire *wire, size_t begin)
{
	size_t length = wire->size - begin, bytes;
	u8 varint[VARINT_MAX];

	if (!has_room(wire, VARINT_MAX))
		return;
	bytes = (size_t)(put_varint(varint, length) - varint);
	if (bytes > 1)
		memmove(wire->bytes + begin + bytes - 1, wire->bytes + begin, length);
	memcpy(wire->bytes + begin - 1, varint, bytes);
	wire->size += bytes - 1;
}
