/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Separate debug files: names and lines that were taken out of a program or library, and the compressed symbol table that
 * some distributions leave in a stripped file (.gnu_debugdata).
 */
#include <stdbool.h>

#include "binary/elf.h"

struct root_fs;

struct build_id {
	u8 bytes[BUILD_ID_MAX];
	unsigned int size; /* 0: none */
};

struct build_id debug_file_id(const struct elf *elf);

/*
 * The debug file of `elf` below `root`: by its build id, else by its .gnu_debuglink. Only one whose build id is the
 * same is taken, and by .gnu_debuglink only one with the right checksum. 0 (elf_free it), -ENOENT or -ENOMEM.
 */
int debug_file_find(const struct elf *elf, const struct root_fs *root, struct elf **ret_debug);

/* Is `debug` of the same build as `elf`? Only files with a build id can be. */
bool debug_file_fits(const struct elf *elf, const struct elf *debug);

/*
 * The file behind `fd` (taken over; below 0: none), if it has that build id. 0 (elf_free it), -ENOENT for everything that is
 * wrong with it, or -ENOMEM.
 */
int debug_file_open(const struct build_id *id, int fd, const char *path, struct elf **ret_debug);

/* What .gnu_debugaltlink says: the file that has what dwz -m found in several debug files. */
struct alternate_link {
	char *path; /* absolute, or from the directory of the file that names it */
	struct build_id id;
};

/* 0 (free the path); -ENOENT: `file` has no such link, or an unusable one; -ENOMEM. */
int debug_file_read_alternate(const struct elf *file, struct alternate_link *ret_link);

/*
 * That file below `root`: by its build id, by its path from where `file` is, or among those of the distribution. Only one with
 * that build id is taken. 0 (elf_free it), -ENOENT or -ENOMEM.
 */
int debug_file_find_alternate(const struct alternate_link *link, const struct elf *file, const struct root_fs *root,
			      struct elf **ret_alternate);

/*
 * The body of a split unit of `file` below `root`: `name` as it is, from `directory` (NULL: unknown), or beside the file. Whether it
 * is the unit's, its reader knows by the id in both. 0 (elf_free it), -ENOENT or -ENOMEM.
 */
int debug_file_find_split(const struct elf *file, const char *directory, const char *name, const struct root_fs *root,
			  struct elf **ret_split);

/* The package of the bodies of `file`'s split units, beside it. The same. */
int debug_file_find_package(const struct elf *file, const struct root_fs *root, struct elf **ret_package);

/*
 * What .gnu_debugdata holds, unpacked. 0 (elf_free it); -ENOENT: there is none; -EFBIG: it unfolds to more than 64 MiB;
 * -EBADMSG; -ENOMEM or another negative errno.
 */
int debug_file_unpack(const struct elf *elf, struct elf **ret_debug);
