/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Executable mappings of one image, old ones included. The table owns the mappings and their paths; the files are
 * borrowed. Filled by tracer (scan) and ring (side-band) through the recorder, asked by stack and profile.
 *
 * Mappings overlap, since an outdated one stays. An index sorted by start carries, for every row, the highest end and
 * the newest begin of all rows up to it, so that a search going down from the address knows when nothing better can
 * follow: at once in the usual case of disjoint mappings, and after the first hit where libraries come and go at one
 * address.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "system/address_map.h"

struct row {
	const struct mapping *mapping;
	u32 serial;	  /* its place in the table: of two begun at one time the later is the newer */
	u64 highest_end;  /* of this row and all before it */
	u64 newest_begin; /* likewise */
};

struct address_map {
	struct mapping *
		*mappings; /* in the order they were added; each allocated by itself, so that pointers stay valid */
	struct row *rows;  /* sorted by start, then begin, then serial */
	u64 *displaced_ns; /* ascending: when a mapping came to where other code was before */
	u32 count, displaced_count, displacing_count;
	u32 capacity;
	u32 generation;
};

struct address_map *address_map_new(void)
{
	return calloc(1, sizeof(struct address_map));
}

static void mapping_free(struct mapping *mapping)
{
	if (!mapping)
		return;
	free(mapping->path);
	free(mapping);
}

void address_map_free(struct address_map *table)
{
	if (!table)
		return;
	for (u32 i = 0; i < table->count; i++)
		mapping_free(table->mappings[i]);
	free(table->mappings);
	free(table->rows);
	free(table->displaced_ns);
	free(table);
}

static int mapping_copy(const struct mapping *mapping, struct mapping **ret_copy)
{
	struct mapping *copy = malloc(sizeof(*copy));

	if (!copy)
		return -ENOMEM;
	*copy = *mapping;
	copy->path = strdup(mapping->path ? mapping->path : MAPPING_ANONYMOUS);
	if (!copy->path) {
		free(copy);
		return -ENOMEM;
	}
	*ret_copy = copy;
	return 0;
}

static int table_reserve(struct address_map *table)
{
	u32 capacity = table->capacity > 0 ? table->capacity * 2 : 64;
	struct mapping **mappings;
	struct row *rows;
	u64 *displaced_ns;

	if (table->count < table->capacity)
		return 0;
	if (table->count == MAPPINGS_MAX)
		return -ENOSPC;
	mappings = reallocarray(table->mappings, capacity, sizeof(struct mapping *));
	if (!mappings)
		return -ENOMEM;
	table->mappings = mappings;
	rows = reallocarray(table->rows, capacity, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	table->rows = rows;
	displaced_ns = reallocarray(table->displaced_ns, capacity, sizeof(*displaced_ns));
	if (!displaced_ns)
		return -ENOMEM;
	table->displaced_ns = displaced_ns;
	table->capacity = capacity;
	return 0;
}

/* The first row whose start lies above `addr`. */
static u32 rows_above(const struct address_map *table, u64 addr)
{
	u32 low = 0, high = table->count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (table->rows[middle].mapping->start <= addr)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void rows_insert(struct address_map *table, const struct mapping *mapping)
{
	u32 place = rows_above(table, mapping->start);

	while (place > 0 && table->rows[place - 1].mapping->start == mapping->start &&
	       table->rows[place - 1].mapping->from_ns > mapping->from_ns)
		place--;
	memmove(&table->rows[place + 1], &table->rows[place], (table->count - place) * sizeof(*table->rows));
	table->rows[place].mapping = mapping;
	table->rows[place].serial = table->count;
	for (u32 i = place; i <= table->count; i++) {
		struct row *row = &table->rows[i];
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
static u32 displacements(const struct address_map *table, u64 time_ns)
{
	u32 low = 0, high = table->displaced_count;

	while (low < high) {
		u32 middle = low + (high - low) / 2;

		if (table->displaced_ns[middle] <= time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Each time is that of a mapping, and none is in twice, so there is room. */
static void note_displacement(struct address_map *table, u64 time_ns)
{
	u32 place = displacements(table, time_ns);

	if (place && table->displaced_ns[place - 1] == time_ns)
		return;
	memmove(&table->displaced_ns[place + 1], &table->displaced_ns[place],
		(table->displaced_count - place) * sizeof(*table->displaced_ns));
	table->displaced_ns[place] = time_ns;
	table->displaced_count++;
}

/*
 * Where there ever was other code at an address of `mapping`, which is in no row yet, one displaced the other when the
 * later of them came.
 */
static void note_displacements(struct address_map *table, struct mapping *mapping)
{
	bool any = false;

	for (u32 i = rows_above(table, mapping->end - 1); i > 0; i--) {
		const struct mapping *other = table->rows[i - 1].mapping;
		u64 shared = other->start > mapping->start ? other->start : mapping->start;

		if (table->rows[i - 1].highest_end <= mapping->start ||
		    (any && table->rows[i - 1].newest_begin <= mapping->from_ns))
			break;
		/* The same all over what they share, or nowhere. */
		if (other->end <= mapping->start || mapping_same_code(mapping, other, shared))
			continue;
		any = true;
		if (other->from_ns > mapping->from_ns) {
			note_displacement(table, other->from_ns);
			table->mappings[table->rows[i - 1].serial]->displaces = true;
		}
	}
	mapping->displaces = any;
	if (any)
		note_displacement(table, mapping->from_ns);
	table->displacing_count += any;
}

struct mapping_era address_map_era(const struct address_map *table, u64 time_ns)
{
	u32 before = displacements(table, time_ns);

	return (struct mapping_era){
		.from_ns = before ? table->displaced_ns[before - 1] : 0,
		.until_ns = before < table->displaced_count ? table->displaced_ns[before] : UINT64_MAX,
		.serial = table->displacing_count,
	};
}

bool address_map_is_in_era(const struct address_map *table, const struct mapping_era *era, u64 time_ns)
{
	return era->serial == table->displacing_count && time_ns >= era->from_ns && time_ns < era->until_ns;
}

int address_map_add(struct address_map *table, const struct mapping *mapping)
{
	struct mapping *copy;
	int err;

	err = table_reserve(table);
	if (!err)
		err = mapping_copy(mapping, &copy);
	if (err)
		return err;
	copy->index = table->count;
	copy->known = 0;
	note_displacements(table, copy);
	rows_insert(table, copy);
	table->mappings[table->count++] = copy;
	return 0;
}

static bool is_newer(const struct row *row, const struct row *than)
{
	if (row->mapping->from_ns != than->mapping->from_ns)
		return row->mapping->from_ns > than->mapping->from_ns;
	return row->serial > than->serial;
}

/* With a generation: among those that its list took into account. */
static const struct mapping *find(const struct address_map *table, u64 ip, u64 time_ns, u32 generation)
{
	const struct row *best = NULL;

	for (u32 i = rows_above(table, ip); i > 0; i--) {
		const struct row *row = &table->rows[i - 1];

		if (row->highest_end <= ip || (best && row->newest_begin < best->mapping->from_ns))
			break;
		if (row->mapping->end <= ip || row->mapping->from_ns > time_ns)
			continue;
		if (generation && (!row->mapping->known || row->mapping->known > generation))
			continue;
		if (!best || is_newer(row, best))
			best = row;
	}
	return best ? best->mapping : NULL;
}

const struct mapping *address_map_find(const struct address_map *table, u64 ip, u64 time_ns)
{
	return find(table, ip, time_ns, 0);
}

const struct mapping *address_map_find_known(const struct address_map *table, u64 ip, u32 generation)
{
	return generation ? find(table, ip, UINT64_MAX, generation) : NULL;
}

static bool is_news(const struct mapping *mapping, u64 now_ns)
{
	return !mapping->known && mapping->from_ns <= now_ns;
}

u32 address_map_next_generation(const struct address_map *table, u64 now_ns, u32 newest)
{
	if (!table->generation || table->generation != newest)
		return newest + 1;
	for (u32 i = 0; i < table->count; i++)
		if (table->mappings[i]->displaces && is_news(table->mappings[i], now_ns))
			return newest + 1;
	return newest;
}

void address_map_set_known(struct address_map *table, u64 now_ns, u32 generation)
{
	for (u32 i = 0; i < table->count; i++)
		if (is_news(table->mappings[i], now_ns))
			table->mappings[i]->known = generation;
	table->generation = generation;
}

u32 address_map_generation(const struct address_map *table)
{
	return table->generation;
}

bool address_map_has(const struct address_map *table, const struct elf *elf)
{
	for (unsigned int i = 0; i < address_map_count(table); i++)
		if (address_map_get(table, i)->elf == elf)
			return true;
	return false;
}

unsigned int address_map_count(const struct address_map *table)
{
	return table->count;
}

const struct mapping *address_map_get(const struct address_map *table, unsigned int index)
{
	return table->mappings[index];
}

int address_map_copy(const struct address_map *table, u64 now_ns, struct address_map **ret_copy)
{
	struct address_map *copy = address_map_new();
	int err = copy ? 0 : -ENOMEM;

	for (u32 i = 0; i < table->count && !err; i++) {
		const struct mapping *mapping = table->mappings[i];

		/* Covered at both ends it is taken for covered as a whole. */
		if (mapping->from_ns <= now_ns && (address_map_find(table, mapping->start, now_ns) == mapping ||
						   address_map_find(table, mapping->end - 1, now_ns) == mapping))
			err = address_map_add(copy, mapping);
	}
	if (err) {
		address_map_free(copy);
		return -ENOMEM;
	}
	*ret_copy = copy;
	return 0;
}
