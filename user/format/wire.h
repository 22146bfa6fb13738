/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Bytes in protobuf's wire format (https://protobuf.dev/programming-guides/encoding/). For what a profile has by the hundred
 * thousand, its samples and locations: protobuf-c wants an object in memory for each message in them. Valid when zeroed.
 */
#include <stddef.h>

#include "include/types.h"

struct wire {
	u8 *bytes;
	size_t size, capacity;
	bool failed; /* no memory: what is put from then on is dropped */
};

void wire_release(struct wire *wire);

void wire_put_varint(struct wire *wire, u64 value);
void wire_put_indices(struct wire *wire, const u32 *indices, size_t count); /* each plus one: as ids, which are not 0 */
void wire_put_number(struct wire *wire, u32 field, u64 value);		    /* 0, the default, is left out */
void wire_put_bytes(struct wire *wire, const void *bytes, size_t size);

/*
 * A field with a length (a message, packed numbers): what is put between these calls. `begin`: what wire_begin returned. They may
 * be nested.
 */
size_t wire_begin(struct wire *wire, u32 field);
void wire_end(struct wire *wire, size_t begin);
