/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Separate debug files: names and lines that were taken out of a program or library, and the compressed symbol table that
 * some distributions leave in a stripped file (.gnu_debugdata).
 */
#include <stdbool.h>

#include "include/types.h"

struct elf;
struct root_fs;

/*
 * The debug file of `elf` below `root`: by its build id, else by its .gnu_debuglink. Only one whose build id is the
 * same is taken, and by .gnu_debuglink only one with the right checksum. 0 (elf_free it), -ENOENT or -ENOMEM.
 */
int debug_file_find(const struct elf *elf, const struct root_fs *root, struct elf **ret_debug);

/* Is `debug` of the same build as `elf`? Only files with a build id can be. */
bool debug_file_fits(const struct elf *elf, const struct elf *debug);

/*
 * The file behind `fd` (taken over; below 0: none), if it belongs to `elf`: by its build id, or by *checksum as well
 * when there is one. 0 (elf_free it), -ENOENT for everything that is wrong with it, or -ENOMEM.
 */
int debug_file_open(const struct elf *elf, int fd, const char *path, const u32 *checksum, struct elf **ret_debug);

/*
 * What .gnu_debugdata holds, unpacked. 0 (elf_free it); -ENOENT: there is none; -EFBIG: it unfolds to more than 64 MiB;
 * -EBADMSG; -ENOMEM or another negative errno.
 */
int debug_file_unpack(const struct elf *elf, struct elf **ret_debug);
