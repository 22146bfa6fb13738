/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Names of machine code that a process made while running, from the file /tmp/perf-<pid>.map that JIT compilers write
 * for perf.
 */
#include "include/types.h"

struct perf_map;
struct root_fs;

/*
 * Read the map of the process whose root this is. *ret_perfmap becomes NULL when there is none, or none that may be
 * believed: then *ret_refused says why, or is NULL where there is none. 0 or -ENOMEM.
 */
int perf_map_open(const struct root_fs *root, struct perf_map **ret_perfmap, const char **ret_refused);
void perf_map_free(struct perf_map *perfmap);

/*
 * The function at `address`: its name (valid until perf_map_free) and first byte; NULL: none. If the file names
 * several at that address, it is the last one named.
 */
const char *perf_map_find(const struct perf_map *perfmap, u64 address, u64 *ret_start);
