/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Hash tables: uthash, in which an element without memory for its table stays outside, instead of ending the program.
 * Include this, never <uthash.h>. Adding takes one more line:
 *
 *	HASH_ADD(hh, table->rows, key, sizeof(row->key), row);
 *	return hash_kept(&row->hh, row) ? 0 : -ENOMEM;
 */
#include <stdbool.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

static inline bool hash_added(const UT_hash_handle *handle)
{
	return handle->tbl;
}

/* The element, if it was added by `handle`, its own; otherwise it is freed: NULL. */
static inline void *hash_kept(const UT_hash_handle *handle, void *element)
{
	if (hash_added(handle))
		return element;
	free(element);
	return NULL;
}

/* Empty the table: take each element out (by its handle `hh`) and give it to `release`. */
#define hash_release(head, release)                                                                                    \
	do {                                                                                                           \
		__typeof__(head) hash_entry_, hash_next_;                                                              \
                                                                                                                       \
		HASH_ITER (hh, head, hash_entry_, hash_next_) {                                                        \
			HASH_DEL(head, hash_entry_);                                                                   \
			release(hash_entry_);                                                                          \
		}                                                                                                      \
	} while (0)
