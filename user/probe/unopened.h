/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Files that processes map and heaptap could not open: they were not searched for an allocator, their stacks are cut and
 * have no names.
 */
#include <sys/types.h>

#include "include/types.h"

/* Those of one cause. */
struct unopened {
	char *path; /* of the first; NULL: none, or there was no memory to keep it */
	pid_t pid;  /* that maps it; 0: will map it */
	int err;    /* with which it failed, negative errno */
	u32 count;  /* mappings of such files, once for each process */
};

/* Zeroed: none. */
struct unopened_files {
	struct unopened lacking; /* for want of descriptors or memory (shortage.h) */
	struct unopened denied;	 /* of rights, or they were replaced */
};

/* Note one; the path is copied. */
void unopened_add(struct unopened_files *files, pid_t pid, const char *path, int err);
void unopened_release(struct unopened_files *files);
