/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unwind/map_lists.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "system/address_map.h"

#define CAPACITY_MIN 32

/* --- layouts: from overlapping mappings to rows that a binary search can go by --- */

static int ascending(const void *left, const void *right)
{
	u64 a = *(const u64 *)left, b = *(const u64 *)right;

	return a < b ? -1 : a > b;
}

/* `mapping` is in force from `start` to `end`. A piece that goes on where the last one ended becomes part of it. */
static void lay_piece(const struct mapping *mapping, u64 start, u64 end, struct map_layout *layout)
{
	u64 file_offset = mapping->file_offset + (start - mapping->start);
	u32 flags = mapping->frameless ? UNWIND_MAPPING_FRAMELESS : 0;
	struct unwind_mapping *row = &layout->rows[layout->count];

	if (layout->count && row[-1].end == start && layout->files[layout->count - 1] == mapping->elf &&
	    row[-1].flags == flags && (!mapping->elf || row[-1].file_offset + (start - row[-1].start) == file_offset)) {
		row[-1].end = end;
		return;
	}
	*row = (struct unwind_mapping){.start = start, .end = end, .file_offset = file_offset, .flags = flags};
	layout->names[layout->count] = (struct map_file){.device = mapping->device, .inode = mapping->inode};
	layout->files[layout->count++] = mapping->elf;
}

int map_layout_make(const struct address_map *mappings, u64 now_ns, struct map_layout *ret_layout)
{
	u32 count = 2 * address_map_count(mappings);
	u64 *borders = calloc(count + 1, sizeof(*borders));

	*ret_layout = (struct map_layout){.rows = calloc(count + 1, sizeof(*ret_layout->rows)),
					  .files = calloc(count + 1, sizeof(struct elf *)),
					  .names = calloc(count + 1, sizeof(struct map_file))};
	if (!borders || !ret_layout->rows || !ret_layout->files || !ret_layout->names) {
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
	free(layout->names);
}

/* --- lists --- */

/* In two places by turns, so that a program in the midst of the old one is not disturbed. */
struct unwindlist {
	struct scope *scope;
	u32 first, capacity; /* two halves of `capacity` rows each; capacity 0: no place yet */
	u32 half, count;
	struct elf **files; /* of the rows in force; NULL: no file */
	UT_hash_handle hh;  /* by scope */
};

int map_lists_init(struct map_lists *set, struct unwind_mapping *rows, u32 row_count)
{
	*set = (struct map_lists){.rows = rows, .room = extent_new(row_count)};
	return set->room ? 0 : -ENOMEM;
}

static void list_free(struct unwindlist *list)
{
	free(list->files);
	free(list);
}

void map_lists_release(struct map_lists *set)
{
	hash_release(set->lists, list_free);
	extent_free(set->room);
}

static struct unwind_mapping *list_rows(const struct map_lists *set, const struct unwindlist *list)
{
	return set->rows + list->first + list->half * list->capacity;
}

bool map_lists_has(const struct map_lists *set, const struct elf *file)
{
	for (const struct unwindlist *list = set->lists; list; list = list->hh.next)
		for (u32 i = 0; i < list->count; i++)
			if (list->files[i] == file)
				return true;
	return false;
}

void map_lists_enter(const struct map_lists *set, const struct elf *file, u32 index, u32 flags)
{
	for (const struct unwindlist *list = set->lists; list; list = list->hh.next) {
		struct unwind_mapping *rows = list_rows(set, list);

		for (u32 i = 0; i < list->count; i++) {
			if (list->files[i] != file)
				continue;
			__atomic_store_n(&rows[i].flags, flags, __ATOMIC_RELEASE);
			if (index)
				__atomic_store_n(&rows[i].table, index, __ATOMIC_RELEASE);
		}
	}
}

/* Room for `count` rows in either half; a list that outgrows its place gets another of twice the size or more. */
static int make_room(struct map_lists *set, struct unwindlist *list, u32 count, u64 now_ns)
{
	u32 capacity = CAPACITY_MIN, first;
	int err;

	if (list->capacity && count <= list->capacity)
		return 0;
	while (capacity < count)
		capacity *= 2;
	err = extent_take(set->room, 2 * capacity, now_ns, &first);
	if (err)
		return err;
	if (list->capacity)
		extent_give(set->room, list->first, now_ns);
	list->first = first;
	list->capacity = capacity;
	return 0;
}

static struct unwindlist *list_of(struct map_lists *set, struct scope *scope)
{
	struct unwindlist *list;

	HASH_FIND_PTR(set->lists, &scope, list);
	if (list)
		return list;
	list = calloc(1, sizeof(*list));
	if (!list)
		return NULL;
	list->scope = scope;
	HASH_ADD_PTR(set->lists, scope, list);
	return hash_kept(&list->hh, list);
}

void map_lists_outdate(struct scope *scope)
{
	__atomic_store_n(&scope->mappings_process, 0, __ATOMIC_RELEASE);
}

int map_lists_publish(struct map_lists *set, struct scope *scope, u32 process, u32 generation,
		      struct map_layout *layout, u64 now_ns)
{
	struct unwindlist *list = list_of(set, scope);
	int err = list ? make_room(set, list, layout->count, now_ns) : -ENOMEM;

	if (err)
		return err;
	list->half = !list->half;
	list->count = layout->count;
	free(list->files);
	list->files = layout->files;
	layout->files = NULL;
	memcpy(list_rows(set, list), layout->rows, layout->count * sizeof(*layout->rows));
	/* No image has this list while its place changes. */
	map_lists_outdate(scope);
	/* A program reads the generation first: never is an old list to be vouched for by the new list's number. */
	__atomic_store_n(&scope->mappings, (u64)(list->first + list->half * list->capacity) << 32 | list->count,
			 __ATOMIC_RELEASE);
	__atomic_store_n(&scope->generation, generation, __ATOMIC_RELEASE);
	__atomic_store_n(&scope->mappings_process, process, __ATOMIC_RELEASE);
	return 0;
}

void map_lists_withdraw(struct map_lists *set, struct scope *scope, u64 now_ns)
{
	struct unwindlist *list;

	map_lists_outdate(scope);
	HASH_FIND_PTR(set->lists, &scope, list);
	if (!list)
		return;
	HASH_DEL(set->lists, list);
	if (list->capacity)
		extent_give(set->room, list->first, now_ns);
	list_free(list);
}
