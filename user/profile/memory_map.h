/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Whose each mapping of a process is. Names tell where there are any: "[heap]", "[stack]", files, and what allocators and
 * runtimes give by prctl(PR_SET_VMA_ANON_NAME): glibc from 2.39 on with the tunable glibc.mem.decorate_maps=1, jemalloc 5.3.1, tcmalloc,
 * mimalloc, Go 1.25. Where there is none, a mapping in which the allocator was seen to give out a block is the allocator's, and one
 * in which a thread has its stack pointer, with a guard below it, is a stack. glibc's are known by what it writes at their beginnings (glibc_heap.h).
 */
#include "profile/memory_parts.h"
#include "system/smaps.h"

/* Borrowed. Arrays ascend. */
struct memory_map {
	const struct smaps *smaps;
	const u64 *places; /* addresses of blocks that the allocator has given out, freed ones too */
	u32 place_count;
	const u64 *pointers; /* stack pointers of threads */
	u32 pointer_count;
	const bool
		*arenas; /* by area: its content shows that it is the allocator's (glibc_heap.h); NULL: not looked at */
};

enum memory_part memory_map_part(const struct memory_map *map, u32 area);

/*
 * Put every area into its part; of `ret_parts`, only what comes from mappings is set. 0 or -ENOMEM.
 */
int memory_map_parts(const struct memory_map *map, struct memory_parts *ret_parts);
