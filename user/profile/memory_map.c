/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "profile/memory_map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "system/procfs.h"

#define ANONYMOUS_NAME "[anon:"
#define HUGE_FILE      "/anon_hugepage" /* of MAP_ANONYMOUS | MAP_HUGETLB: a file that the kernel makes */

static bool starts(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool holds(const struct smaps_area *area, const u64 *addresses, u32 count)
{
	return array_count_upto(addresses, count, area->end - 1) !=
	       (area->start ? array_count_upto(addresses, count, area->start - 1) : 0);
}

/* --- by name --- */

/* Shared pages of no file on a disk. */
static bool is_shared_memory(const struct smaps_area *area)
{
	return procfs_is_memory(area->name) || starts(area->name, "/dev/shm/") || starts(area->name, "/dev/zero") ||
	       starts(area->name, "[anon_shmem:") || (starts(area->name, HUGE_FILE) && area->shared);
}

static bool is_file(const struct smaps_area *area)
{
	return area->file && !starts(area->name, HUGE_FILE);
}

/* The kernel's own pages that every process maps. */
static bool is_kernels(const struct smaps_area *area)
{
	return starts(area->name, "[v"); /* vdso, vvar, vvar_vclock, vsyscall */
}

/* "[anon: glibc: malloc arena]", "[anon:jemalloc_pg]", "[anon:tcmalloc_region_NORMAL]", "[anon:mimalloc]", "[anon:scudo:primary]". */
static bool is_named_heap(const struct smaps_area *area)
{
	return !strcmp(area->name, "[heap]") ||
	       (starts(area->name, ANONYMOUS_NAME) && (strstr(area->name, "malloc") || strstr(area->name, "scudo")));
}

static bool is_named_stack(const struct smaps_area *area)
{
	return starts(area->name, "[stack") || starts(area->name, ANONYMOUS_NAME " glibc: pthread");
}

/* --- by what is beside it and in it --- */

static const struct smaps_area *below(const struct memory_map *map, u32 index)
{
	const struct smaps_area *areas = map->smaps->areas;

	return index && areas[index - 1].end == areas[index].start ? &areas[index - 1] : NULL;
}

static bool has_guard(const struct memory_map *map, u32 index)
{
	const struct smaps_area *guard = below(map, index);

	return guard && !guard->readable && !guard->writable && !guard->executable && !guard->file;
}

/*
 * A stack of a thread that waits holds its pointer. Those of threads that run, or whose stack the C library keeps for the next one, are
 * known by their flag. Goroutines and coroutines have their stacks in a heap, without a guard.
 */
static bool is_stack(const struct memory_map *map, u32 index)
{
	const struct smaps_area *area = &map->smaps->areas[index];
	bool guard = has_guard(map, index);

	if (area->stack && guard)
		return true;
	return (area->stack || (guard && !holds(area, map->places, map->place_count))) &&
	       holds(area, map->pointers, map->pointer_count);
}

/* What a program or library needs beyond its file, for data that begins as zeros. */
static bool is_bss(const struct memory_map *map, u32 index)
{
	const struct smaps_area *file = below(map, index);

	return !*map->smaps->areas[index].name && file && is_file(file) && !file->shared && !is_shared_memory(file);
}

static bool is_heap(const struct memory_map *map, u32 index)
{
	const struct smaps_area *area = &map->smaps->areas[index];

	return !area->executable && (holds(area, map->places, map->place_count) || (map->arenas && map->arenas[index]));
}

enum memory_part memory_map_part(const struct memory_map *map, u32 index)
{
	const struct smaps_area *area = &map->smaps->areas[index];

	if (is_kernels(area) || (is_file(area) && !is_shared_memory(area)))
		return MEMORY_FILES;
	if (is_named_heap(area))
		return MEMORY_HEAP;
	if (is_named_stack(area) || is_stack(map, index))
		return MEMORY_STACKS;
	if (is_heap(map, index))
		return MEMORY_HEAP;
	if (is_shared_memory(area) || area->shared)
		return MEMORY_SHARED;
	return is_bss(map, index) ? MEMORY_FILES : MEMORY_OTHERS;
}

/* --- sums --- */

static const char *other_name(const struct smaps_area *area, char name[MEMORY_OTHER_NAME_SIZE])
{
	const char *from = area->name;

	if (!*from)
		return area->executable ? memory_made_code : memory_unnamed;
	if (starts(from, HUGE_FILE))
		return "HugeTLB";
	if (starts(from, ANONYMOUS_NAME))
		from += strlen(ANONYMOUS_NAME);
	from += strspn(from, " [");
	snprintf(name, MEMORY_OTHER_NAME_SIZE, "%.*s", (int)strcspn(from, "]"), from);
	return name;
}

static int compare_names(const void *left, const void *right)
{
	return strcmp(((const struct memory_other *)left)->name, ((const struct memory_other *)right)->name);
}

/* Equal names are neighbours. */
static void add_others(struct memory_other *others, u32 count, struct memory_parts *parts)
{
	if (count)
		qsort(others, count, sizeof(*others), compare_names);
	for (u32 i = 0; i < count;) {
		struct memory_parts one = {0};
		u32 first = i;

		while (i < count && !compare_names(&others[first], &others[i]))
			memory_add_other(&one, &others[i++]);
		memory_add_other(parts, one.others);
	}
}

static int note_other(const struct smaps_area *area, const struct memory_amount *amount, struct memory_other **others,
		      u32 *count)
{
	struct memory_other *other;
	char name[MEMORY_OTHER_NAME_SIZE];

	if (!amount->resident && !amount->swap && !amount->hugetlb)
		return 0;
	if (array_grow(others, *count, 1))
		return -ENOMEM;
	other = &(*others)[(*count)++];
	*other = (struct memory_other){.mappings = 1, .amount = *amount};
	snprintf(other->name, sizeof(other->name), "%s", other_name(area, name));
	return 0;
}

int memory_map_parts(const struct memory_map *map, struct memory_parts *ret_parts)
{
	struct memory_parts parts = {.known = true, .processes = 1};
	struct memory_other *others = NULL;
	u32 other_count = 0;
	int err = 0;

	for (u32 i = 0; i < map->smaps->count && !err; i++) {
		const struct smaps_area *area = &map->smaps->areas[i];
		struct memory_amount amount = {area->resident, area->swap, area->hugetlb};
		enum memory_part part = memory_map_part(map, i);

		memory_count(&parts.part[part], &amount);
		parts.share += area->share;
		parts.heap_lazy += part == MEMORY_HEAP ? area->lazy : 0;
		parts.stacks += part == MEMORY_STACKS;
		if (part == MEMORY_OTHERS)
			err = note_other(area, &amount, &others, &other_count);
	}
	add_others(others, other_count, &parts);
	free(others);
	*ret_parts = parts;
	return err;
}
