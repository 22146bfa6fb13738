/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A file with a secret in it, which none but its owner may read or write. */
#include <stddef.h>

/*
 * The first `room` bytes of it; *ret_size says how many there are. 0; -EACCES: others may read or write the file; or negative errno. A FIFO
 * without a writer is empty: it is not waited for.
 */
int private_file_read(const char *path, char *bytes, size_t room, size_t *ret_size);
