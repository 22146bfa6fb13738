/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How many other processes map certain files: each of them traps at a probe that is not filtered by PID. One look at the
 * mappings of each process: 44 to 85 ms for 2000 processes that map the C library.
 */
#include <sys/types.h>

#include "include/types.h"

/* A file that is probed, by device and inode as /proc/PID/maps shows them (struct mapping). */
struct mapped_by_file {
	dev_t device;
	ino_t inode;
	const char *path;	/* as mapped; NULL: device and inode alone tell. See mapped_by_count */
	unsigned int processes; /* out: how many map its code */
};

struct mapped_by_count {
	unsigned int processes; /* that map at least one of the files, each once */
	unsigned int unread;	/* whose mappings may not be read: they may pay as well */
};

/*
 * The open file `fd`, which is mapped as `path`. A tmpfs has one device number and inode numbers that begin anew in each, so
 * two of them have different files of one number under one path: the path tells nothing there.
 */
struct mapped_by_file mapped_by_file(int fd, const char *path);

/*
 * Scan all processes below `root`/proc ("" for this machine), except those for which `is_ours` is true and heaptap itself.
 * Containers of one image share the probed inode, though each overlay shows it under a device number of its own: on
 * devices without a disk the same inode number under the same path counts as the same file. 0 or negative errno.
 */
int mapped_by_count(const char *root, struct mapped_by_file *files, unsigned int file_count,
		    bool (*is_ours)(pid_t pid, void *arg), void *arg, struct mapped_by_count *ret_count);
