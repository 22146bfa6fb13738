/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A record of lifetimes as profiles keep it: without its zeros. Most sites have few samples, and then nearly all counts of
 * the record are 0; with whole records a profile would be as large as the heap that it is a snapshot of.
 */
#include <stddef.h>

#include "profile/lifetime.h"

#define LIFETIME_WORDS (sizeof(struct lifetime) / sizeof(u32))

struct lifetime_pack {
	u32 present[(LIFETIME_WORDS + 31) / 32]; /* a bit for each word of struct lifetime, from the lowest on */
	u32 words[];				 /* those that are not 0 */
};

/* In one allocation, for the caller to free. NULL: no memory. */
struct lifetime_pack *lifetime_pack(const struct lifetime *lifetime);

/* NULL is the record in which all is 0. */
struct lifetime lifetime_unpack(const struct lifetime_pack *pack);

/* How many bytes it has. */
size_t lifetime_pack_size(const struct lifetime_pack *pack);
