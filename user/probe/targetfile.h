/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARGETFILE_H
#define TARGETFILE_H
/* The files that a target has opened, each once, told apart by device and inode. Owned by target. */
#include <sys/types.h>

#include "include/config.h"

struct pool;
struct target_file;

/* Valid when zeroed. */
struct targetfile_table {
	const struct pool *pools;  /* of --alloc, borrowed */
	struct target_file *files; /* newest first, by next */
	u32 count;
	u32 allocator_next;
	bool allocator_taken[ALLOCATORS_MAX];
};

void targetfile_table_release(struct targetfile_table *table);

/*
 * The file behind `fd`, which is taken over, opened and planned unless it is there; `path` is what to call it. 0 or
 * negative errno.
 */
int targetfile_intern(struct targetfile_table *table, int fd, const char *path, struct target_file **ret_file);

/* NULL: it is not there. */
struct target_file *targetfile_find(const struct targetfile_table *table, dev_t device, ino_t inode);
struct target_file *targetfile_find_build(const struct targetfile_table *table, const u8 *id, unsigned int size);

/* Its number as an allocator is another's to have. Frees it. */
void targetfile_close(struct targetfile_table *table, struct target_file *file);

#endif
