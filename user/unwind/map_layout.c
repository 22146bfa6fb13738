/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From overlapping mappings to rows that a binary search can go by. */
#include "unwind/map_layout.h"

#include <errno.h>
#include <stdlib.h>

#include "system/address_map.h"

static int ascending(const void *left, const void *right)
{
	u64 a = *(const u64 *)left, b = *(const u64 *)right;

	return a < b ? -1 : a > b;
}

/* `mapping` is in force from `start` to `end`. A piece that goes on where the last one ended becomes part of it. */
static void lay_piece(const struct mapping *mapping, u64 start, u64 end, struct map_layout *layout)
{
	u64 file_offset = mapping->file_offset + (start - mapping->start);
	struct unwind_mapping *row = &layout->rows[layout->count];

	if (layout->count && row[-1].end == start && layout->files[layout->count - 1] == mapping->elf &&
	    (!mapping->elf || row[-1].file_offset + (start - row[-1].start) == file_offset)) {
		row[-1].end = end;
		return;
	}
	*row = (struct unwind_mapping){.start = start, .end = end, .file_offset = file_offset};
	layout->files[layout->count++] = mapping->elf;
}

int map_layout_make(const struct address_map *mappings, u64 now_ns, struct map_layout *ret_layout)
{
	u32 count = 2 * address_map_count(mappings);
	u64 *borders = calloc(count + 1, sizeof(*borders));

	*ret_layout = (struct map_layout){.rows = calloc(count + 1, sizeof(*ret_layout->rows)),
					  .files = calloc(count + 1, sizeof(struct elf *))};
	if (!borders || !ret_layout->rows || !ret_layout->files) {
		free(borders);
		return -ENOMEM;
	}
	for (u32 i = 0; i < count; i += 2) {
		borders[i] = address_map_get(mappings, i / 2)->start;
		borders[i + 1] = address_map_get(mappings, i / 2)->end;
	}
	qsort(borders, count, sizeof(*borders), ascending);
	for (u32 i = 1; i < count; i++) {
		const struct mapping *mapping = NULL;

		if (borders[i - 1] < borders[i])
			mapping = address_map_find(mappings, borders[i - 1], now_ns);
		if (mapping)
			lay_piece(mapping, borders[i - 1], borders[i], ret_layout);
	}
	free(borders);
	return 0;
}

void map_layout_release(struct map_layout *layout)
{
	free(layout->rows);
	free(layout->files);
}
