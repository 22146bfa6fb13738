/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Copies of files, mounted over their originals in a mount namespace of COMMAND's own: a probe without a filter on a
 * copy's inode is hit by COMMAND and its descendants only. heaptap itself never enters that namespace, and the tmpfs that
 * holds the copies is mounted nowhere else; it ends with its last user.
 */
#include <sys/types.h>

#include "include/types.h"

#define FILE_COPIES_MAX 16

/* Bytes of a copy that are not the original's. */
struct file_edit {
	u64 offset;
	const u8 *bytes;
	size_t size;
};

struct file_change {
	const struct file_edit *edits; /* written in this order */
	size_t edit_count;
	u64 size; /* of the copy, not less than the original's; what no edit fills is zero */
};

struct file_copy {
	char *path; /* the original's, links resolved */
	dev_t device, copy_device;
	ino_t inode, copy_inode;
	int fd;		 /* of the copy, for reading; owned by the set */
	u64 mount_flags; /* MOUNT_ATTR_* of the mount that the original is on, and read-only */
	char name[4];	 /* on the tmpfs */
};

struct file_copies {
	int tree;    /* the tmpfs: a mount of no namespace until file_copies_enter */
	bool shared; /* the mount of / has shared propagation; it gets the same in the new namespace */
	unsigned int count;
	struct file_copy files[FILE_COPIES_MAX];
};

/* An empty set. 0; -EPERM: no CAP_SYS_ADMIN; or another negative errno, and then *ret_set is NULL. */
int file_copies_new(struct file_copies **ret_set);

/* The copies stay while they are mounted, mapped or open. NULL does nothing. */
void file_copies_free(struct file_copies *set);

/*
 * Add a copy of the regular file behind descriptor `fd` (borrowed), with its owner, mode, times and extended attributes, and
 * with `change` (borrowed; NULL: none) made to its bytes. 0; -ESTALE: it changed meanwhile; -EFBIG: larger than heaptap may
 * write; -EOPNOTSUPP or -EPERM: an attribute that decides about access cannot be kept, or is a signature of bytes that change;
 * -ENOSPC: no memory for it, or FILE_COPIES_MAX reached; or another negative errno. After an error, but for -EFBIG, the set can only be
 * freed.
 */
int file_copies_add(struct file_copies *set, int fd, const struct file_change *change);

/*
 * Give the calling process, which must have one thread, a mount namespace of its own with every copy over its original.
 * New mounts of the old namespace still appear in it, and its own do not appear in the old one; namespaces made from it
 * get its mounts as they would have got those of the old one. Makes system calls only, so that it may be called between
 * fork and exec. 0, or negative errno (-ESTALE: a path leads to another file by now; -EINVAL also: the root directory is
 * no mount, as in a chroot): the namespace is half made then, and the process should exit.
 */
int file_copies_enter(const struct file_copies *set);
