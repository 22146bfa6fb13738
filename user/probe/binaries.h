/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The files that traced processes map, each opened once and kept open while they do, and what to probe in them. Device
 * and inode tell files apart.
 */
#include <sys/types.h>

#include "system/address_map.h"
#include "probe/plan.h"
#include "probe/unopened.h"

struct binary {
	struct elf *elf;
	struct plan *plan;	     /* NULL: no allocator in it */
	u32 allocator;		     /* number of the allocator file, when it has a plan */
	struct pymalloc python_left; /* CPython's allocator that is left alone (pymalloc_plan.h); table_count 0: none */
	bool hands_on;		     /* its malloc hands calls on to another file's: it has no plan (wrapper.h) */
	bool go;		     /* it is a program of Go's, or a library */
	const struct foreign_heap *heap; /* an allocator of which a part is seen; NULL: none that is known */
	bool too_large;			 /* to be searched for an allocator: it has no plan */
	bool named;  /* --alloc says where it is: it is probed before a process maps it, and stays so */
	bool said;   /* what is doubtful about it; the caller's */
	bool recent; /* a process has mapped it since the caller cleared this */
	struct binary *next;
};

struct binaries;
struct file_copies;

/*
 * `pools`: those of --alloc, which outlive it, and learn which of them were found; files that they name by a path that leads
 * somewhere from here are opened. `inlined`: only samples are to trap, so that CPython's allocator is left alone. NULL: no memory.
 */
struct binaries *binaries_new(struct custom_allocator *pools, bool inlined);
void binaries_free(struct binaries *binaries);

/*
 * The file behind a mapping of a process. It is opened through the process while that lives; else, for its names and
 * tables, one of the same build is taken: among those already open, or by its name where heaptap sees it. Sets mapping->elf
 * (NULL: no such file) and the build id. 0 with *ret_file, the very file that is mapped, to be probed (NULL: none, or it
 * cannot be opened), or -ENOMEM.
 */
int binaries_open_mapping(struct binaries *binaries, pid_t pid, struct mapping *mapping, struct binary **ret_file);

/*
 * Open a file by a name in heaptap's own mount namespace. It keeps the name, a relative one made absolute: its debug files may lie
 * beside it. 0 or negative errno.
 */
int binaries_open_path(struct binaries *binaries, const char *path, struct binary **ret_file);

/*
 * Close the file, which nothing may refer to any longer; it is opened again when it is mapped again. Its allocator number
 * is free for another file then.
 */
void binaries_close(struct binaries *binaries, struct binary *file);

const struct custom_allocator *binaries_pools(const struct binaries *binaries); /* of --alloc */

/* All files so far, newest first, linked by `next`; each with a plan if it has an allocator. */
struct binary *binaries_files(const struct binaries *binaries);

u32 binaries_count(const struct binaries *binaries); /* how many files there are */

/* Their paths, separated by commas; static storage, cut to fit. */
const char *binaries_names(const struct binaries *binaries);

/* Files that could not be opened. */
const struct unopened_files *binaries_unopened(const struct binaries *binaries);

/*
 * From here on the copies are what is probed and read, under their originals' names; an original that a process maps
 * all the same is a file like any other. 0, or negative errno: the files that failed are the originals still.
 */
int binaries_file_copy(struct binaries *binaries, const struct file_copies *set);
