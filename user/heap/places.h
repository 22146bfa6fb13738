/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where an allocator has given out sampled blocks, freed ones too: one address for each 2 MiB of the address space. They tell which
 * mappings are the allocator's (profile/memory_map.h). There are never more than samples, nor than the heap has 2 MiB, nor than HEAP_PLACES_MAX: what
 * a process says of its addresses need not be so.
 */
#include "base/hash.h"
#include "include/types.h"

#define HEAP_PLACES_MAX (1u << 18) /* half a tebibyte of heap */

struct heap_place;

struct heap_places {
	struct heap_place *places;
};

/* A block was given out there. Without memory, or beyond the maximum, it is not noted. */
void heap_places_add(struct heap_places *places, u64 address);
/* It was freed. If it was in a mapping of its own, as glibc makes for large blocks, that is gone, and another may be there soon. */
void heap_places_freed(struct heap_places *places, u64 address);

/* Ascending, to be freed. 0 or -ENOMEM. */
int heap_places_list(const struct heap_places *places, u64 **ret_addresses, u32 *ret_count);
void heap_places_release(struct heap_places *places);
