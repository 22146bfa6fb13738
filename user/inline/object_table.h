/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The objects that the sampler in a process knows (include/sampler.h), as a whole: for a sampler that comes when objects have been sampled
 * already, in another way. Later inline/blob/objects.h keeps them.
 */
#include "include/types.h"

struct object_table {
	u64 *entries; /* 1 << bits */
	u8 *filter;   /* SAMPLER_FILTER bytes */
	u32 bits;
};

/* An empty one. 0 or -ENOMEM; release in any case. */
int object_table_init(struct object_table *table, u32 bits);
void object_table_release(struct object_table *table);

/* A pointer that is not in it. False: no room. */
bool object_table_add(struct object_table *table, u64 pointer);
void object_table_remove(struct object_table *table, u64 pointer);

/*
 * Put it into a process's memory, in which nothing leads to the sampler yet: `memory` is the process's, `header` the address of the sampler's
 * header. Pages that are as they should be are not touched. 0; -EFAULT: the memory is not there any longer.
 */
int object_table_write(const struct object_table *table, int memory, u64 header);

/* What has changed by one pointer, since then. */
int object_table_write_one(const struct object_table *table, u64 pointer, int memory, u64 header);
