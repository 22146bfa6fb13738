/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The mapping lists that the programs unwind by, one for each scope, in an array shared with them. A list is published
 * whole, by one store of its place and length into the scope's row, so that a program sees the old list or the new one.
 * Not locked: the mutex of tables.c guards them.
 */
#include "include/config.h"
#include <sys/types.h>

#include "base/extent.h"
#include "include/unwind.h"

struct address_map;
struct elf;
struct unwindlist;

/*
 * What is where in an image at one moment: its mappings, which overlap where newer ones outdate older ones, as rows that do
 * not, ascending.
 */
struct map_file {
	dev_t device;
	ino_t inode;
};

struct map_layout {
	struct unwind_mapping *rows; /* table is 0 */
	struct elf **files;	     /* of each row; NULL: none */
	struct map_file *names;	     /* of each row, as the kernel names its file; inode 0: none */
	u32 count;
};

/* As the mappings are at `now_ns`. 0 or -ENOMEM; *ret_layout is to be released either way. */
int map_layout_make(const struct address_map *mappings, u64 now_ns, struct map_layout *ret_layout);
void map_layout_release(struct map_layout *layout);

struct map_lists {
	struct unwind_mapping *rows;
	struct extent *room; /* in the rows */
	struct unwindlist *lists;
};

int map_lists_init(struct map_lists *set, struct unwind_mapping *rows, u32 row_count); /* 0 or -ENOMEM */
void map_lists_release(struct map_lists *set);

/*
 * Publish the layout as the mappings of image `process`, of that generation; layout->files is taken over. 0; or -ENOSPC or -ENOMEM, when
 * the list in force is as it was.
 */
int map_lists_publish(struct map_lists *set, struct scope *scope, u32 process, u32 generation,
		      struct map_layout *layout, u64 now_ns);

/* No program is to go by the scope's list any longer: it is outdated. */
void map_lists_outdate(struct scope *scope);

/* The scope's process has ended: its rows are free again, after their rest. */
void map_lists_withdraw(struct map_lists *set, struct scope *scope, u64 now_ns);

/* Is the file in any list? */
bool map_lists_has(const struct map_lists *set, const struct elf *file);

/* Enter into every list that has the file what is now known of its table: `flags`, and its index unless that is 0. */
void map_lists_enter(const struct map_lists *set, const struct elf *file, u32 index, u32 flags);
