/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "binary/split_package.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "binary/elf.h"

#define INDEX_BYTES_MAX (64u << 20) /* a million units */
#define COLUMNS_MAX	16

/* The header; then ids and row numbers, a slot each; then the columns' section numbers, and rows of offsets and of sizes. */
struct index {
	const u8 *bytes;
	u32 version, columns, units, slots;
};

static u32 word_at(const struct index *index, u64 offset)
{
	u32 word;

	memcpy(&word, index->bytes + offset, sizeof(word));
	return word;
}

static u64 ids_end(const struct index *index)
{
	return 16 + (u64)index->slots * sizeof(u64);
}

static u64 rows_start(const struct index *index)
{
	return ids_end(index) + (u64)index->slots * sizeof(u32);
}

static u64 row_bytes(const struct index *index)
{
	return (u64)index->columns * sizeof(u32);
}

static bool index_read(const u8 *bytes, u64 size, struct index *ret_index)
{
	struct index *index = ret_index;

	*index = (struct index){.bytes = bytes};
	if (size < 16)
		return false;
	index->version = word_at(index, 0); /* of 16 bits from 5 on, and zeros */
	index->columns = word_at(index, 4);
	index->units = word_at(index, 8);
	index->slots = word_at(index, 12);
	return (index->version == 2 || index->version == 5) && index->columns <= COLUMNS_MAX &&
	       rows_start(index) + row_bytes(index) * (1 + 2ull * index->units) <= size;
}

/* A hash table of a power of two of slots, with a second hash for the step. The unit's row, from 1 on; 0: it has none. */
static u32 find_row(const struct index *index, u64 id)
{
	u32 mask = index->slots - 1, slot = (u32)id & mask, step = ((u32)(id >> 32) & mask) | 1;

	for (u32 tries = 0; tries < index->slots; tries++) {
		u32 row = word_at(index, ids_end(index) + (u64)slot * sizeof(u32));
		u64 found;

		memcpy(&found, index->bytes + 16 + (u64)slot * sizeof(u64), sizeof(found));
		if (!row || found == id)
			return row <= index->units ? row : 0;
		slot = (slot + step) & mask;
	}
	return 0;
}

static void read_row(const struct index *index, u32 row, struct split_parts *ret_parts)
{
	u64 columns = rows_start(index), offsets = columns + row * row_bytes(index),
	    sizes = offsets + index->units * row_bytes(index);

	*ret_parts = (struct split_parts){0};
	for (u32 i = 0; i < index->columns; i++) {
		u32 section = word_at(index, columns + i * sizeof(u32));

		if (section >= SPLIT_SECTIONS || (section == SPLIT_RNGLISTS && index->version != 5))
			continue;
		ret_parts->of[section].offset = word_at(index, offsets + i * sizeof(u32));
		ret_parts->of[section].size = word_at(index, sizes + i * sizeof(u32));
	}
}

int split_package_find(const struct elf *package, u64 id, struct split_parts *ret_parts)
{
	struct index index;
	u64 size;
	u8 *bytes;
	u32 row = 0;
	int err = elf_read_section(package, ".debug_cu_index", INDEX_BYTES_MAX, &bytes, &size, NULL);

	if (err)
		return err == -ENOMEM ? err : -ENODATA;
	err = index_read(bytes, size, &index) ? 0 : -ENODATA;
	if (!err)
		row = find_row(&index, id);
	if (row)
		read_row(&index, row, ret_parts);
	free(bytes);
	return err ? err : row ? 0 : -ENOENT;
}
