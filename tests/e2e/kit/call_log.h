/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The files that the shims write, one for each image of a process. */
#include <stddef.h>
#include <sys/types.h>

/*
 * Map `size` bytes of the newest file of that prefix and process, PREFIX.PID.1, .2 and so on, for reading. 0 (munmap
 * it), -ENOENT or another negative errno.
 */
int call_log_map(const char *prefix, pid_t pid, size_t size, const void **ret_bytes);
/* The same with one file of that path. */
int call_log_map_file(const char *path, size_t size, const void **ret_bytes);
