/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Requests that wait on disk: a directory of one file each, up to a number of bytes, which outlives heaptap and the machine's next start.
 * Where there is no room the oldest go first. A file is written, flushed and then named, so that one with a name is whole; what is in
 * it is checked all the same, and no file that is not this user's own is read. The directory serves one heaptap and one store at a time.
 *
 * A file NNNNNNNNNNNNNNNN.request: struct spool_header of spool_file.h, the path, the content type, the body. The file "store": the URL.
 *
 * Counted in the ledger here: what is found (resumed), written (spooled), displaced (spool_full) and damaged (spool_damaged). `waiting` has what
 * is in the spool.
 */
#include "push/ledger.h"
#include "push/request.h"

#define PUSH_SPOOL_FILES_MAX 16384 /* each takes 40 bytes of memory too */

struct push_spool;

struct push_spool_options {
	const char *dir;   /* made, unless it is there; its parent must be */
	const char *store; /* the URL */
	u64 bytes_max;	   /* of disk, in blocks of 4 KiB */
};

/*
 * 0 with *ret_spool set; or negative errno, when a sentence has been said, and no file is removed (-EEXIST: they are another store's).
 * `ledger` is used until push_spool_close.
 */
int push_spool_open(const struct push_spool_options *options, struct push_ledger *ledger,
		    struct push_spool **ret_spool);
void push_spool_close(struct push_spool *spool); /* NULL: nothing happens */

/*
 * Write it behind the others. It remains the caller's. 0, or negative errno: -E2BIG: it is larger than all may be; -EBUSY: there is no room
 * beside the one that is under way.
 */
int push_spool_add(struct push_spool *spool, const struct push_request *request);

/* When the first was taken; false: there is none. */
bool push_spool_first(const struct push_spool *spool, s64 *ret_taken_ns);

/*
 * Read the first, which stays until push_spool_drop and is not displaced meanwhile. 0 with *ret_request set, to be freed; -ENOENT: there
 * is none; -EBADMSG: it was damaged, and is dropped; or the negative errno of a shortage.
 */
int push_spool_load(struct push_spool *spool, struct push_request *ret_request);

/* The first, which was added from where it is being sent, is not displaced from now on, as if it had been loaded. */
void push_spool_hold(struct push_spool *spool);

/* The first one, that was loaded or held, may be displaced again; `request` is it, for its tries. */
void push_spool_put_back(struct push_spool *spool, const struct push_request *request);

/* Remove the first, whatever it was: what it amounted to, which is no longer in `waiting`. */
struct push_amount push_spool_drop(struct push_spool *spool);

u64 push_spool_count(const struct push_spool *spool);
u64 push_spool_bytes(const struct push_spool *spool);
