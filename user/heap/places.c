/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "heap/places.h"

#include <errno.h>
#include <stdlib.h>

#define GRANULE_BITS 21
#define PAGE_BYTES   4096
/* Where glibc's blocks begin in a mapping of their own: behind the two words of a chunk (malloc/malloc.c, sysmalloc_mmap). */
#define OWN_MAPPING_OFFSET 16

struct heap_place {
	u64 granule;
	u64 address;
	UT_hash_handle hh;
};

static struct heap_place *find(const struct heap_places *places, u64 address)
{
	u64 granule = address >> GRANULE_BITS;
	struct heap_place *place;

	HASH_FIND(hh, places->places, &granule, sizeof(granule), place);
	return place;
}

void heap_places_add(struct heap_places *places, u64 address)
{
	struct heap_place *place = find(places, address);

	if (place) {
		place->address = address;
		return;
	}
	place = HASH_COUNT(places->places) < HEAP_PLACES_MAX ? malloc(sizeof(*place)) : NULL;
	if (!place)
		return;
	*place = (struct heap_place){.granule = address >> GRANULE_BITS, .address = address};
	HASH_ADD(hh, places->places, granule, sizeof(place->granule), place);
	hash_kept(&place->hh, place);
}

void heap_places_freed(struct heap_places *places, u64 address)
{
	struct heap_place *place = address % PAGE_BYTES == OWN_MAPPING_OFFSET ? find(places, address) : NULL;

	if (!place || place->address != address)
		return;
	HASH_DEL(places->places, place);
	free(place);
}

static int compare(const void *left, const void *right)
{
	u64 a = *(const u64 *)left, b = *(const u64 *)right;

	return a < b ? -1 : a > b;
}

int heap_places_list(const struct heap_places *places, u64 **ret_addresses, u32 *ret_count)
{
	u64 *addresses = calloc(HASH_COUNT(places->places) + 1UL, sizeof(*addresses));
	u32 count = 0;

	if (!addresses)
		return -ENOMEM;
	for (const struct heap_place *place = places->places; place; place = place->hh.next)
		addresses[count++] = place->address;
	qsort(addresses, count, sizeof(*addresses), compare);
	*ret_addresses = addresses;
	*ret_count = count;
	return 0;
}

void heap_places_release(struct heap_places *places)
{
	hash_release(places->places, free);
}
