/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inline/object_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inline/sampler_image.h"

int object_table_init(struct object_table *table, u32 bits)
{
	*table = (struct object_table){
		.entries = calloc(1ULL << bits, sizeof(*table->entries)),
		.filter = calloc(SAMPLER_FILTER, 1),
		.bits = bits,
	};
	return table->entries && table->filter ? 0 : -ENOMEM;
}

void object_table_release(struct object_table *table)
{
	free(table->entries);
	free(table->filter);
	*table = (struct object_table){0};
}

static bool exchange(struct object_table *table, u64 pointer, u64 old, u64 new)
{
	u64 *bucket = &table->entries[sampler_bucket_index(pointer, table->bits)];

	for (u32 i = 0; i < SAMPLER_BUCKET; i++) {
		if (bucket[i] != old)
			continue;
		bucket[i] = new;
		return true;
	}
	return false;
}

/* As the sampler does, see inline/blob/objects.c. */
static void filter_add(struct object_table *table, u64 pointer, int change)
{
	u8 *byte = &table->filter[sampler_filter_index(pointer)];

	if (*byte != SAMPLER_FILTER_FULL)
		*byte = (u8)(*byte + change);
}

bool object_table_add(struct object_table *table, u64 pointer)
{
	bool added = exchange(table, pointer, 0, sampler_entry(pointer));

	filter_add(table, pointer, added);
	return added;
}

void object_table_remove(struct object_table *table, u64 pointer)
{
	filter_add(table, pointer, -exchange(table, pointer, sampler_entry(pointer), 0));
}

/* At most a page. */
static int write_piece(int memory, u64 address, const u8 *piece, size_t size)
{
	u8 found[SAMPLER_PAGE];

	if (pread(memory, found, size, (off_t)address) != (ssize_t)size)
		return -EFAULT;
	/* One that nobody has touched would count as the process's memory. */
	if (!memcmp(found, piece, size))
		return 0;
	return pwrite(memory, piece, size, (off_t)address) == (ssize_t)size ? 0 : -EFAULT;
}

static int write_pages(int memory, u64 address, const void *bytes, u64 size)
{
	int err = 0;

	for (u64 at = 0; at < size && !err; at += SAMPLER_PAGE) {
		u64 left = size - at;

		err = write_piece(memory, address + at, (const u8 *)bytes + at,
				  left < SAMPLER_PAGE ? left : SAMPLER_PAGE);
	}
	return err;
}

int object_table_write(const struct object_table *table, int memory, u64 header)
{
	const struct sampler_header *image = sampler_image_header();
	u64 magic = 0;
	int err;

	if (pread(memory, &magic, sizeof(magic), (off_t)header) != sizeof(magic) || magic != SAMPLER_MAGIC)
		return -EFAULT;
	err = write_pages(memory, header + image->filter, table->filter, SAMPLER_FILTER);
	if (!err)
		err = write_pages(memory, header + image->table, table->entries, sizeof(u64) << table->bits);
	return err;
}

int object_table_write_one(const struct object_table *table, u64 pointer, int memory, u64 header)
{
	const struct sampler_header *image = sampler_image_header();
	const u64 entry = sampler_bucket_index(pointer, table->bits), byte = sampler_filter_index(pointer);
	int err = write_piece(memory, header + image->filter + byte, &table->filter[byte], 1);

	return err ? err
		   : write_piece(memory, header + image->table + entry * sizeof(u64),
				 (const u8 *)&table->entries[entry], SAMPLER_BUCKET * sizeof(u64));
}
