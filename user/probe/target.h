/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TARGET_H
#define TARGET_H
/*
 * The files that traced processes map, each opened once and kept open while they do (sweep.h), and what to probe in
 * them. Files are told apart by device and inode.
 */
#include <sys/types.h>

#include "system/address_map.h"
#include "probe/plan.h"

struct target_file {
	struct elf *elf;
	struct plan *plan; /* NULL: no allocator in it */
	u32 allocator;	   /* number of the allocator file, when it has a plan */
	bool recent;	   /* mapped by somebody since the last sweep */
	struct target_file *next;
};

struct target;
struct file_copies;

/* `pools`: those of --alloc, which outlive it. NULL: no memory. */
struct target *target_new(const struct pool *pools);
void target_free(struct target *target);

/*
 * The file behind a mapping of a process. Opened through the process while it lives; else, for its names and tables, one
 * of the same build: among those already open, or under its name where heaptap sees it. Sets mapping->elf (NULL when not
 * to be had) and build id. 0 with *ret_file, the very file that is mapped, to be probed (NULL: none, or not to be had),
 * or negative errno for errors worth stopping for (-ENOMEM).
 */
int target_open_mapping(struct target *target, pid_t pid, struct mapping *mapping, struct target_file **ret_file);

/* Open a file by a name in heaptap's own mount namespace. 0 or negative errno. */
int target_open_path(struct target *target, const char *path, struct target_file **ret_file);

/* Close the file, which nothing may refer to any longer; when it is mapped again it is opened again. */
void target_close(struct target *target, struct target_file *file);

/* All files so far, newest first, linked by `next`; each with a plan if it has an allocator. */
struct target_file *target_files(const struct target *target);

u32 target_count(const struct target *target); /* of them */

/* Their paths, separated by commas; static storage, cut to fit. */
const char *target_names(const struct target *target);

/* A file that is mapped but could not be opened, so that it could not be searched for an allocator; NULL: none. */
const char *target_denied(const struct target *target);

/*
 * The files a program will map when it is exec'd: its interpreter's own answer (`ld.so --list`), scripts followed
 * through their #! lines. They are opened into the target. `path` is the program, absolute or relative. 0, or negative
 * errno; a program whose files cannot be told is no error: they will be found when it maps them.
 */
int target_open_program(struct target *target, const char *path);

/* Add a copy of every file with an allocator to `set`. 0, or what file_copies_add says. */
int target_copy(const struct target *target, struct file_copies *set);

/*
 * From here on the copies are what is probed and read, under their originals' names; an original that a process maps
 * all the same is a file like any other. 0, or negative errno: the files that failed are the originals still.
 */
int target_stand_in(struct target *target, const struct file_copies *set);

#endif
