/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/lifetime_pack.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct lifetime) % sizeof(u32) == 0, "a record is taken as words");

static size_t size_of(u32 words)
{
	return sizeof(struct lifetime_pack) + words * sizeof(u32);
}

size_t lifetime_pack_size(const struct lifetime_pack *pack)
{
	u32 count = 0;

	for (size_t i = 0; i < sizeof(pack->present) / sizeof(*pack->present); i++)
		count += (u32)__builtin_popcount(pack->present[i]);
	return size_of(count);
}

struct lifetime_pack *lifetime_pack(const struct lifetime *lifetime)
{
	u32 words[LIFETIME_WORDS], count = 0;
	struct lifetime_pack *pack;

	memcpy(words, lifetime, sizeof(words));
	for (size_t i = 0; i < LIFETIME_WORDS; i++)
		count += words[i] != 0;
	pack = calloc(1, size_of(count));
	if (!pack)
		return NULL;
	count = 0;
	for (size_t i = 0; i < LIFETIME_WORDS; i++)
		if (words[i]) {
			pack->present[i / 32] |= 1u << i % 32;
			pack->words[count++] = words[i];
		}
	return pack;
}

struct lifetime lifetime_unpack(const struct lifetime_pack *pack)
{
	u32 words[LIFETIME_WORDS] = {0}, count = 0;
	struct lifetime lifetime;

	for (size_t i = 0; pack && i < LIFETIME_WORDS; i++)
		if (pack->present[i / 32] & 1u << i % 32)
			words[i] = pack->words[count++];
	memcpy(&lifetime, words, sizeof(lifetime));
	return lifetime;
}
