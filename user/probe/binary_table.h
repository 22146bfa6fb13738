/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PROBE_BINARY_TABLE_H
#define PROBE_BINARY_TABLE_H
/* The files that a target has opened, each once, told apart by device and inode. Owned by target. */
#include <sys/types.h>

#include "include/config.h"

struct custom_allocator;
struct binary;

/* Valid when zeroed. */
struct binary_table {
	const struct custom_allocator *pools; /* of --alloc, borrowed */
	struct binary *files;		      /* newest first, by next */
	u32 count;
	u32 allocator_next;
	bool allocator_taken[ALLOCATORS_MAX];
};

void binary_table_release(struct binary_table *table);

/*
 * The file behind `fd`, which is taken over, opened and planned unless it is there; `path` is what to call it. 0 or
 * negative errno.
 */
int binary_table_intern(struct binary_table *table, int fd, const char *path, struct binary **ret_file);

/* NULL: it is not there. */
struct binary *binary_table_find(const struct binary_table *table, dev_t device, ino_t inode);
struct binary *binary_table_find_build(const struct binary_table *table, const u8 *id, unsigned int size);

/* Its number as an allocator is another's to have. Frees it. */
void binary_table_close(struct binary_table *table, struct binary *file);

#endif
