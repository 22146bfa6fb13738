/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The executable mappings of one image over time: from one scan of /proc at attach, then from the perf side-band. The map
 * owns them and their paths; files are borrowed. A mapping is never removed, only outdated by a newer one at the same
 * addresses, since samples taken under it refer to it.
 */
#include <sys/types.h>

#include "include/types.h"

struct elf;
struct ranges;

#define MAPPING_ANONYMOUS "//anon" /* path of memory without a file, as the perf side-band names it */

/* Mappings of one image, outdated ones included: a target that maps without end must not make heaptap grow without end. */
#define MAPPINGS_MAX 65536

struct mapping {
	u64 start;
	u64 end; /* exclusive */
	u64 file_offset;
	u64 from_ns; /* CLOCK_MONOTONIC; 0: there before tracing began */
	dev_t device;
	ino_t inode;
	char *path;	 /* as the kernel names it, " (deleted)" cut; "[vdso]", "//anon" and the like kept */
	struct elf *elf; /* the file itself, kept open; NULL when it could not be opened (borrowed) */
	const struct ranges *allocator; /* offsets of its probed functions; NULL: it has none. Lives as long as `elf` */
	u8 build_id[20];
	u8 build_id_size; /* 0: unknown */
	bool deleted;
	bool unsearched; /* it could not be opened, so nobody knows whether it has an allocator */
	bool frameless;	 /* bp is no frame pointer in it; set by the map */
	u32 index;	 /* its place in the map; set by address_map_add */
	u32 known;	 /* generation of the BPF programs' first list that has it, 0: none yet; set by the map */
	bool displaces;	 /* it replaced other code, or was replaced before heaptap learnt of it; set by the map */
};

struct address_map;

/* Whether bp is no frame pointer in code without a file, of all that is mapped so far. */
void address_map_set_frameless(struct address_map *map, bool frameless);

struct address_map *address_map_new(void); /* NULL: no memory */
void address_map_free(struct address_map *map);

/* Add a copy of *mapping (path is duplicated, NULL becomes "//anon"; elf borrowed). 0, -ENOMEM, -ENOSPC at
 * MAPPINGS_MAX. */
int address_map_add(struct address_map *map, const struct mapping *mapping);

/* A copy of what is in force at `now_ns`, for a child; the BPF programs have no list of it yet. 0 or -ENOMEM. */
int address_map_copy(const struct address_map *map, u64 now_ns, struct address_map **ret_copy);

/*
 * What address_map_find, _count and _get say of it now, for another thread, while more is added to the map: it shares the mappings, so
 * the map must outlive it. 0 or -ENOMEM.
 */
int address_map_freeze(const struct address_map *map, struct address_map **ret_frozen);

/*
 * The mapping that held `ip` at `time_ns`: the newest one begun by then that covers it (of two begun at once the one
 * added later); NULL when none is known. Valid until address_map_free.
 */
const struct mapping *address_map_find(const struct address_map *map, u64 ip, u64 time_ns);

/* The same, and a time around `time_ns` in which the answer for that address is the same. */
struct mapping_span {
	u64 from_ns, until_ns; /* exclusive; UINT64_MAX: for ever */
};
const struct mapping *address_map_find_span(const struct address_map *map, u64 ip, u64 time_ns,
					    struct mapping_span *ret_span);

/*
 * The generation for a new list of what is in force at `now_ns`; `newest` is that of the newest list in its place. It is
 * the same again if that is a list of this map and only mappings are added that displace no code: the BPF programs stop
 * where no code is known, so no stack changes. Every generation has stacks and sites of its own.
 */
u32 address_map_next_generation(const struct address_map *map, u64 now_ns, u32 newest);

/* The BPF programs' list of that generation (1 or more) now has what is in force at `now_ns`. */
void address_map_set_known(struct address_map *map, u64 now_ns, u32 generation);
u32 address_map_generation(const struct address_map *map); /* of their newest list; 0: none */

/* The mapping that holds `ip` in the BPF programs' list of that generation; NULL: none. */
const struct mapping *address_map_find_known(const struct address_map *map, u64 ip, u32 generation);

/* Is the code at `ip` the same in both? Memory without a file is compared by name, which is a guess. */
bool mapping_same_code(const struct mapping *one, const struct mapping *other, u64 ip);

/*
 * A time in which no address changed its code, so that code need not be compared by time again. It is no longer valid once the
 * map learns of a mapping that displaced other code, at whatever time.
 */
struct mapping_era {
	u64 from_ns, until_ns; /* exclusive */
	u32 serial;
};

struct mapping_era address_map_era(const struct address_map *map, u64 time_ns);
bool address_map_is_in_era(const struct address_map *map, const struct mapping_era *era, u64 time_ns);

bool address_map_has(const struct address_map *map,
		     const struct elf *elf); /* does or did a mapping refer to the file? */
unsigned int address_map_count(const struct address_map *map);
const struct mapping *address_map_get(const struct address_map *map, unsigned int index);
