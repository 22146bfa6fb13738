/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The directory of a spool: whose it is, what is in it, and for which store. */
#include "include/types.h"

#define SPOOL_STORE_MAX 4096

/*
 * Make it unless it is there, and lock it until the descriptor is closed. The descriptor; -EPERM: it is another user's, or others may write
 * there; -EWOULDBLOCK: it is locked; or negative errno.
 */
int spool_directory_open(const char *path);

/* The numbers of all files that have the name of a request, in no order; free *ret_numbers, which begins as NULL, in any case. 0 or negative errno. */
int spool_directory_list(int dir, u64 **ret_numbers, u64 *ret_count);

/* The store's URL, as the file "store" has it; "": there is none. */
void spool_directory_read_store(int dir, char store[SPOOL_STORE_MAX]);
int spool_directory_write_store(int dir, const char *store); /* 0 or negative errno */
