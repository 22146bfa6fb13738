/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/range_lists.h"

#include <dwarf.h>
#include <string.h>

#define NUMBER_MAX 10 /* bytes of a number that libdw reads */
#define AHEAD	   32 /* more than an entry has bytes */

/* How many entries of bases lead to a byte: that of the next ones, by the byte's place modulo AHEAD. */
struct runs {
	u16 to[AHEAD];
};

static void lead(struct runs *runs, u64 at, u16 count)
{
	u16 *run = &runs->to[at % AHEAD];

	*run = *run > count ? *run : count;
}

/* A pair of addresses, the first of which has all bits set. */
static bool follow_old(struct runs *runs, const u8 *bytes, u64 size, u64 at, u16 count)
{
	u64 first = 0;

	memcpy(&first, bytes + at, size - at < sizeof(first) ? size - at : sizeof(first));
	if ((u32)first != UINT32_MAX)
		return false;
	lead(runs, at + 2 * sizeof(u32), count);
	if (first == UINT64_MAX)
		lead(runs, at + 2 * sizeof(u64), count);
	return true;
}

static u64 number_length(const u8 *bytes, u64 size, u64 at)
{
	u64 length = 1;

	while (at + length < size && length < NUMBER_MAX && bytes[at + length - 1] & 0x80)
		length++;
	return length;
}

static bool follow(struct runs *runs, const u8 *bytes, u64 size, u64 at, u16 count)
{
	if (bytes[at] == DW_RLE_base_addressx && at + 1 < size) {
		lead(runs, at + 1 + number_length(bytes, size, at + 1), count);
		return true;
	}
	if (bytes[at] != DW_RLE_base_address)
		return false;
	lead(runs, at + 1 + sizeof(u32), count);
	lead(runs, at + 1 + sizeof(u64), count);
	return true;
}

bool range_lists_are_slow(const u8 *bytes, u64 size, bool old)
{
	struct runs runs = {0};

	for (u64 at = 0; at < size; at++) {
		u16 count = runs.to[at % AHEAD] + 1;

		runs.to[at % AHEAD] = 0;
		if ((old ? follow_old : follow)(&runs, bytes, size, at, count) && count > RANGE_LISTS_BASES_MAX)
			return true;
	}
	return false;
}
