/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Byte strings, each kept once and numbered 0, 1, 2 ... in the order they came. Valid when zeroed. */

#include "base/hash.h"
#include "include/types.h"

struct interned {
	UT_hash_handle hh;
	u32 index, size;
	u64 bytes[]; /* the copy: a string of bytes, so aligned that it can be a table of anything */
};

struct intern {
	struct interned *entries;
};

/* *ret_entry is the one with these bytes, valid until the release. 1: it is new; 0: it was there; -ENOMEM. */
int intern_add(struct intern *intern, const void *bytes, u32 size, const struct interned **ret_entry);

const struct interned *intern_find(const struct intern *intern, const void *bytes, u32 size); /* NULL: not there */

/* The bytes of a key made of several parts. Valid when zeroed. */
struct intern_key {
	u8 *bytes;
	u32 size, capacity;
	bool failed; /* no memory: the key cannot be added */
};

void intern_key_put(struct intern_key *key, const void *bytes, size_t size);
void intern_key_put_u64(struct intern_key *key, u64 number);
void intern_key_put_text(struct intern_key *key, const char *text); /* NULL differs from every text */

/* As intern_add, and *ret_index is the entry's number. Frees the key. */
int intern_add_key(struct intern *intern, struct intern_key *key, u32 *ret_index);

u32 intern_count(const struct intern *intern);
void intern_release(struct intern *intern);
