/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The executable mappings of a process, from /proc/PID/maps, and the files behind them. */
#include <sys/stat.h>
#include <sys/types.h>

#include "include/types.h"

struct mapping;

/*
 * Parse one line of /proc/PID/maps. Paths may hold spaces; "\012" stands for a newline. 0 and *ret_mapping filled (path
 * allocated: the caller frees it; elf, from_ns and build id left empty), -ENOENT for a mapping that is not executable,
 * -EINVAL for a malformed line, -ENOMEM. An anonymous mapping's path is "//anon".
 */
int proc_maps_parse(const char *line, struct mapping *ret_mapping);

/*
 * Call `each` for every executable mapping until it returns non-zero; returns that, or 0, or the negative errno of
 * opening or reading the maps (-ESRCH: the process is gone; -ENOMEM). `each` may not keep the mapping's path.
 */
int proc_maps_for_each(pid_t pid, int (*each)(struct mapping *mapping, void *arg), void *arg);

/* The same for the maps at `path`. */
int proc_maps_read(const char *path, int (*each)(struct mapping *mapping, void *arg), void *arg);

/*
 * Which file is behind a mapping, through map_files, without opening it. 0; -ESTALE: another one than was mapped; or what the system says, as
 * for a process whose main thread has ended: the next function knows more ways.
 */
int proc_maps_stat(pid_t pid, const struct mapping *mapping, struct stat *ret_stat);

/*
 * Open the file behind a mapping: the mapped inode itself through map_files, never its name. Where map_files may not be
 * used, or another file is mapped there by now: the path through the process's own root, accepted only if device and
 * inode agree. A descriptor or negative errno (-ESTALE: the path names another file by now).
 */
int proc_maps_open(pid_t pid, const struct mapping *mapping);
int proc_maps_open_name(pid_t pid, const struct mapping *mapping); /* by the path alone */

/*
 * Is it a compiler's code: in no file, or in a memfd, as asmjit's and so Erlang's is? Then there is nothing to search in it, and
 * what cannot be opened is not missing. A memfd that is the process's program, or has a build id, is a file like others.
 */
bool proc_maps_is_made_code(pid_t pid, const struct mapping *mapping);

/* The capabilities (mask of 1 << number) that would open a mapped file which proc_maps_open refused with `err`. */
u64 proc_maps_needs(pid_t pid, int err);

/* A descriptor of a copy of the kernel's own library, which is the same in every process; negative errno. */
int proc_maps_open_vdso(void);
