/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UNWINDLIST_H
#define UNWINDLIST_H
/*
 * The mapping lists that the programs unwind by, one for each scope, in an array shared with them. A list is published
 * whole, by one store of its place and length into the scope's row, so that a program sees the old list or the new one.
 * Not locked: that is table's business.
 */
#include "include/config.h"
#include "unwind/layout.h"
#include "base/extent.h"

struct unwindlist;

struct unwindlist_set {
	struct unwind_mapping *rows;
	struct extent *room; /* in the rows */
	struct unwindlist *lists;
};

int unwindlist_set_init(struct unwindlist_set *set, struct unwind_mapping *rows, u32 row_count); /* 0 or -ENOMEM */
void unwindlist_set_release(struct unwindlist_set *set);

/*
 * Publish the layout as the mappings of image `process`, of that generation; layout->files is taken over. 0; or -ENOSPC or -ENOMEM, when
 * the list in force is as it was.
 */
int unwindlist_publish(struct unwindlist_set *set, struct scope *scope, u32 process, u32 generation,
		       struct layout *layout, u64 now_ns);

/* No program is to go by the scope's list any longer: it is outdated. */
void unwindlist_outdate(struct scope *scope);

/* The scope's process has ended: its rows are free again, after their rest. */
void unwindlist_withdraw(struct unwindlist_set *set, struct scope *scope, u64 now_ns);

/* Is the file in any list? */
bool unwindlist_has(const struct unwindlist_set *set, const struct elf *file);

/* Enter into every list that has the file what is now known of its table: `flags`, and its index unless that is 0. */
void unwindlist_enter(const struct unwindlist_set *set, const struct elf *file, u32 index, u32 flags);

#endif
