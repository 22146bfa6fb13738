/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The dictionary of an OTLP request: each string, function, mapping, location, stack and attribute once, in tables whose entry 0 is empty.
 * Only what is asked for is in it, so that nothing in a table is without a reader.
 */
#include "base/arena.h"
#include "base/intern.h"
#include "otlp.pb-c.h"
#include "profile/profile.h"

/* Valid once opened. After `failed` (no memory) every step is harmless, and every index 0. */
struct otlp_dictionary {
	const struct profile *profile; /* whose locations are asked for */
	Otlp__Dictionary message;
	struct arena arena; /* of all messages */
	struct intern strings, functions, attributes, stacks;
	s32 *mapping_index, *location_index; /* by the profile's; 0: not in the table */
	bool failed;
};

void otlp_dictionary_open(struct otlp_dictionary *dictionary, const struct profile *profile);
void otlp_dictionary_release(struct otlp_dictionary *dictionary);

/* A message in its first state, or `count` pointers, valid until the release. NULL: failed. */
void *otlp_message(struct otlp_dictionary *dictionary, const ProtobufCMessageDescriptor *kind);
void *otlp_list(struct otlp_dictionary *dictionary, size_t count, size_t size);

/* Made valid UTF-8; NULL is the empty string. */
s32 otlp_string(struct otlp_dictionary *dictionary, const char *text);
s32 otlp_stack(struct otlp_dictionary *dictionary, const u32 *locations, u32 depth);
