/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SYSTEM_ADDRESS_MAP_H
#define SYSTEM_ADDRESS_MAP_H
/*
 * The executable address map of one image over time: filled by one scan of procfs at attach and by the perf side-band.
 * A mapping is never removed, only outdated by a newer one over the same addresses, since samples taken under it keep
 * naming it.
 */
#include <sys/types.h>

#include "include/types.h"

struct elf;

#define MAPPING_ANONYMOUS "//anon" /* path of memory without a file, as the perf side-band names it */

#define MAPPINGS_MAX                                                                                                   \
	65536 /* of one image, old ones included: a target that maps without end must not grow heaptap so */

struct mapping {
	u64 start;
	u64 end; /* exclusive */
	u64 file_offset;
	u64 from_ns; /* CLOCK_MONOTONIC; 0: there before tracing began */
	dev_t device;
	ino_t inode;
	char *path;	 /* as the kernel names it, " (deleted)" cut; "[vdso]", "//anon" and the like kept */
	struct elf *elf; /* the file itself, kept open; NULL when it could not be opened (borrowed) */
	u8 build_id[20];
	u8 build_id_size; /* 0: unknown */
	bool deleted;
	u32 index;	/* its place in the table; set by address_map_add */
	u32 known;	/* generation of the first of the programs' lists that has it, 0: none yet; set by the table */
	bool displaces; /* came to where other code was, or was displaced before it was heard of; set by the table */
};

struct address_map;

struct address_map *address_map_new(void); /* NULL: no memory */
void address_map_free(struct address_map *table);

/* Add a copy of *mapping (path is duplicated, NULL becomes "//anon"; elf borrowed). 0, -ENOMEM, -ENOSPC at
 * MAPPINGS_MAX. */
int address_map_add(struct address_map *table, const struct mapping *mapping);

/* What is in force at `now_ns`, for a child that begins with it; the programs know nothing of it yet. 0 or -ENOMEM. */
int address_map_copy(const struct address_map *table, u64 now_ns, struct address_map **ret_copy);

/*
 * The mapping that held `ip` at `time_ns`: the newest one begun by then that covers it (of two begun at once the one
 * added later); NULL when none is known. Valid until address_map_free.
 */
const struct mapping *address_map_find(const struct address_map *table, u64 ip, u64 time_ns);

/*
 * What generation a list of what is in force at `now_ns` would be, `newest` being that of the newest list in its place:
 * the same again if that is a list of this table to which only such mappings come as displace no code, since where there
 * was none the programs do not walk on. That matters: every generation has stacks and sites of its own.
 */
u32 address_map_next_generation(const struct address_map *table, u64 now_ns, u32 newest);

/* The programs have been told: what is in force at `now_ns` is in their list of that generation (1 or more). */
void address_map_set_known(struct address_map *table, u64 now_ns, u32 generation);
u32 address_map_generation(const struct address_map *table); /* of their newest list, 0: they have none */

/* The mapping that held `ip` according to the programs' list of that generation; NULL: none. */
const struct mapping *address_map_find_known(const struct address_map *table, u64 ip, u32 generation);

/* Is the code at `ip` the same under both? Not for sure where both are memory of no file: then by their names. */
bool mapping_same_code(const struct mapping *one, const struct mapping *other, u64 ip);

/*
 * A time in which no address began to mean other code: whoever compared code by time need not do so again while it
 * holds. It holds no longer once the table has learnt of a mapping that displaced other code, whenever that was.
 */
struct mapping_era {
	u64 from_ns, until_ns; /* exclusive */
	u32 serial;
};

struct mapping_era address_map_era(const struct address_map *table, u64 time_ns);
bool address_map_is_in_era(const struct address_map *table, const struct mapping_era *era, u64 time_ns);

bool address_map_has(const struct address_map *table,
		     const struct elf *elf); /* does or did a mapping refer to the file? */
unsigned int address_map_count(const struct address_map *table);
const struct mapping *address_map_get(const struct address_map *table, unsigned int index);

#endif
