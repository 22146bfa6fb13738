/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mappings overlap, since an outdated one stays. An index sorted by start carries, for every row, the highest end and the
 * newest begin of all rows up to it, so that a search going down from the address knows when nothing better can follow: at
 * once in the usual case of disjoint mappings, and after the first hit where libraries come and go at one address.
 */
#include "system/address_map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/text.h"

struct row {
	u64 start; /* of the mapping: the key */
	const struct mapping *mapping;
	u32 serial;	  /* its place in the map: of two begun at the same time the later is the newer */
	u64 highest_end;  /* of this row and all before it */
	u64 newest_begin; /* likewise */
};

struct address_map {
	struct mapping **mappings; /* as they were added; each allocated by itself, so that pointers stay valid */
	struct row *rows;	   /* sorted by start, then begin, then serial */
	u64 *displaced_ns;	   /* ascending: when a mapping came to where other code was before */
	u32 count, displaced_count, displacing_count;
	u32 generation;
	bool frozen; /* the mappings are another map's */
};

struct address_map *address_map_new(void)
{
	return calloc(1, sizeof(struct address_map));
}

void address_map_free(struct address_map *map)
{
	if (!map)
		return;
	for (u32 i = 0; i < map->count && !map->frozen; i++) {
		free(map->mappings[i]->path);
		free(map->mappings[i]);
	}
	free(map->mappings);
	free(map->rows);
	free(map->displaced_ns);
	free(map);
}

/* The first row whose start lies above `addr`. */
static u32 rows_above(const struct address_map *map, u64 addr)
{
	return (u32)array_count_upto(map->rows, map->count, addr);
}

static void rows_insert(struct address_map *map, const struct mapping *mapping)
{
	u32 place = rows_above(map, mapping->start);

	while (place > 0 && map->rows[place - 1].start == mapping->start &&
	       map->rows[place - 1].mapping->from_ns > mapping->from_ns)
		place--;
	memmove(&map->rows[place + 1], &map->rows[place], (map->count - place) * sizeof(*map->rows));
	map->rows[place] = (struct row){.start = mapping->start, .mapping = mapping, .serial = map->count};
	for (u32 i = place; i <= map->count; i++) {
		struct row *row = &map->rows[i];
		const struct row *below = i > 0 ? row - 1 : NULL;

		row->highest_end = row->mapping->end;
		row->newest_begin = row->mapping->from_ns;
		if (below && below->highest_end > row->highest_end)
			row->highest_end = below->highest_end;
		if (below && below->newest_begin > row->newest_begin)
			row->newest_begin = below->newest_begin;
	}
}

bool mapping_same_code(const struct mapping *one, const struct mapping *other, u64 ip)
{
	if (one == other)
		return true;
	if (!one || !other || one->elf != other->elf)
		return false;
	if (!one->elf)
		return !strcmp(one->path, other->path) && one->build_id_size == other->build_id_size &&
		       !memcmp(one->build_id, other->build_id, one->build_id_size);
	return ip - one->start + one->file_offset == ip - other->start + other->file_offset;
}

/* How many displacements there were up to then. */
static u32 displacements(const struct address_map *map, u64 time_ns)
{
	return (u32)array_count_upto(map->displaced_ns, map->displaced_count, time_ns);
}

/* There is room: each time is that of a mapping, and none is noted twice. */
static void note_displacement(struct address_map *map, u64 time_ns)
{
	u32 place = displacements(map, time_ns);

	if (place && map->displaced_ns[place - 1] == time_ns)
		return;
	memmove(&map->displaced_ns[place + 1], &map->displaced_ns[place],
		(map->displaced_count - place) * sizeof(*map->displaced_ns));
	map->displaced_ns[place] = time_ns;
	map->displaced_count++;
}

/* `mapping` is in no row yet. Where other code was ever at its addresses, the later of both displaced the earlier. */
static void note_displacements(struct address_map *map, struct mapping *mapping)
{
	bool any = false;

	for (u32 i = rows_above(map, mapping->end - 1); i > 0; i--) {
		const struct mapping *other = map->rows[i - 1].mapping;
		u64 shared = other->start > mapping->start ? other->start : mapping->start;

		if (map->rows[i - 1].highest_end <= mapping->start ||
		    (any && map->rows[i - 1].newest_begin <= mapping->from_ns))
			break;
		/* All code that they share is the same, or none. */
		if (other->end <= mapping->start || mapping_same_code(mapping, other, shared))
			continue;
		any = true;
		if (other->from_ns > mapping->from_ns) {
			note_displacement(map, other->from_ns);
			map->mappings[map->rows[i - 1].serial]->displaces = true;
		}
	}
	mapping->displaces = any;
	if (any)
		note_displacement(map, mapping->from_ns);
	map->displacing_count += any;
}

struct mapping_era address_map_era(const struct address_map *map, u64 time_ns)
{
	u32 before = displacements(map, time_ns);

	return (struct mapping_era){
		.from_ns = before ? map->displaced_ns[before - 1] : 0,
		.until_ns = before < map->displaced_count ? map->displaced_ns[before] : UINT64_MAX,
		.serial = map->displacing_count,
	};
}

bool address_map_is_in_era(const struct address_map *map, const struct mapping_era *era, u64 time_ns)
{
	return era->serial == map->displacing_count && time_ns >= era->from_ns && time_ns < era->until_ns;
}

int address_map_add(struct address_map *map, const struct mapping *mapping)
{
	struct mapping *copy;

	if (map->count == MAPPINGS_MAX)
		return -ENOSPC;
	if (array_grow(&map->mappings, map->count, 1) || array_grow(&map->rows, map->count, 1) ||
	    array_grow(&map->displaced_ns, map->count, 1))
		return -ENOMEM;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*copy = *mapping;
	if (text_copy(mapping->path ? mapping->path : MAPPING_ANONYMOUS, &copy->path)) {
		free(copy);
		return -ENOMEM;
	}
	copy->index = map->count;
	copy->known = 0;
	note_displacements(map, copy);
	rows_insert(map, copy);
	map->mappings[map->count++] = copy;
	return 0;
}

static bool is_newer(const struct row *row, const struct row *than)
{
	if (row->mapping->from_ns != than->mapping->from_ns)
		return row->mapping->from_ns > than->mapping->from_ns;
	return row->serial > than->serial;
}

/* Among those in the list of that generation; 0: among all. *ret_until_ns: when the next one begins there, UINT64_MAX: none. */
static const struct mapping *find(const struct address_map *map, u64 ip, u64 time_ns, u32 generation, u64 *ret_until_ns)
{
	const struct row *best = NULL;

	*ret_until_ns = UINT64_MAX;
	for (u32 i = rows_above(map, ip); i > 0; i--) {
		const struct row *row = &map->rows[i - 1];

		if (row->highest_end <= ip || (best && row->newest_begin < best->mapping->from_ns))
			break;
		if (row->mapping->end <= ip)
			continue;
		if (row->mapping->from_ns > time_ns) {
			if (row->mapping->from_ns < *ret_until_ns)
				*ret_until_ns = row->mapping->from_ns;
			continue;
		}
		if (generation && (!row->mapping->known || row->mapping->known > generation))
			continue;
		if (!best || is_newer(row, best))
			best = row;
	}
	return best ? best->mapping : NULL;
}

const struct mapping *address_map_find(const struct address_map *map, u64 ip, u64 time_ns)
{
	u64 until_ns;

	return find(map, ip, time_ns, 0, &until_ns);
}

/* From its begin on a mapping is the newest there, until the next begins. */
const struct mapping *address_map_find_span(const struct address_map *map, u64 ip, u64 time_ns,
					    struct mapping_span *ret_span)
{
	const struct mapping *found = find(map, ip, time_ns, 0, &ret_span->until_ns);

	ret_span->from_ns = found ? found->from_ns : 0;
	return found;
}

const struct mapping *address_map_find_known(const struct address_map *map, u64 ip, u32 generation)
{
	u64 until_ns;

	return generation ? find(map, ip, UINT64_MAX, generation, &until_ns) : NULL;
}

static bool is_news(const struct mapping *mapping, u64 now_ns)
{
	return !mapping->known && mapping->from_ns <= now_ns;
}

u32 address_map_next_generation(const struct address_map *map, u64 now_ns, u32 newest)
{
	if (!map->generation || map->generation != newest)
		return newest + 1;
	for (u32 i = 0; i < map->count; i++)
		if (map->mappings[i]->displaces && is_news(map->mappings[i], now_ns))
			return newest + 1;
	return newest;
}

void address_map_set_known(struct address_map *map, u64 now_ns, u32 generation)
{
	for (u32 i = 0; i < map->count; i++)
		if (is_news(map->mappings[i], now_ns))
			map->mappings[i]->known = generation;
	map->generation = generation;
}

u32 address_map_generation(const struct address_map *map)
{
	return map->generation;
}

void address_map_set_frameless(struct address_map *map, bool frameless)
{
	for (u32 i = 0; i < map->count; i++)
		map->mappings[i]->frameless = frameless && !map->mappings[i]->elf;
}

bool address_map_has(const struct address_map *map, const struct elf *elf)
{
	for (unsigned int i = 0; i < map->count; i++)
		if (map->mappings[i]->elf == elf)
			return true;
	return false;
}

unsigned int address_map_count(const struct address_map *map)
{
	return map->count;
}

const struct mapping *address_map_get(const struct address_map *map, unsigned int index)
{
	return map->mappings[index];
}

int address_map_copy(const struct address_map *map, u64 now_ns, struct address_map **ret_copy)
{
	struct address_map *copy = address_map_new();
	int err = copy ? 0 : -ENOMEM;

	for (u32 i = 0; i < map->count && !err; i++) {
		const struct mapping *mapping = map->mappings[i];

		/* A mapping that is covered at both ends counts as covered as a whole. */
		if (mapping->from_ns <= now_ns && (address_map_find(map, mapping->start, now_ns) == mapping ||
						   address_map_find(map, mapping->end - 1, now_ns) == mapping))
			err = address_map_add(copy, mapping);
	}
	if (err) {
		address_map_free(copy);
		return -ENOMEM;
	}
	*ret_copy = copy;
	return 0;
}

int address_map_freeze(const struct address_map *map, struct address_map **ret_frozen)
{
	struct address_map *frozen = address_map_new();

	if (!frozen)
		return -ENOMEM;
	frozen->frozen = true;
	frozen->mappings = malloc((map->count + 1UL) * sizeof(*frozen->mappings));
	frozen->rows = malloc((map->count + 1UL) * sizeof(*frozen->rows));
	if (!frozen->mappings || !frozen->rows) {
		address_map_free(frozen);
		return -ENOMEM;
	}
	if (map->count) {
		memcpy(frozen->mappings, map->mappings, map->count * sizeof(*frozen->mappings));
		memcpy(frozen->rows, map->rows, map->count * sizeof(*frozen->rows));
	}
	frozen->count = map->count;
	*ret_frozen = frozen;
	return 0;
}
