/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Requests on their way to a store, by a thread of its own (push/transfer.h is how, push/backlog.h when). What a store does not take now is
 * sent again, later and later; meanwhile it waits in the spool, or without one in memory, both bounded. What is lost is counted by cause
 * in the ledger, and said, each cause at most once in ten minutes.
 */
#include "push/credentials.h"
#include "push/ledger.h"
#include "push/request.h"

#define DELIVERY_SPOOL_BYTES (256 << 20) /* of a spool, unless something else is asked for */
#define DELIVERY_TIMEOUT_MS  30000	 /* for a request, unless something else is asked for */

struct delivery_options {
	const char *url; /* http:// or https://, host, port, and what stands before the requests' paths; nothing else */
	const struct credentials *credentials; /* NULL: none; used until delivery_close */
	const char *ca_file;		       /* certificates to trust, PEM; NULL: the system's */
	const char *spool;		       /* directory; NULL: none */
	u64 spool_bytes;		       /* 0: DELIVERY_SPOOL_BYTES */
	u32 timeout_ms;			       /* 0: DELIVERY_TIMEOUT_MS */
};

struct delivery;

/* 0 with *ret_delivery set; or negative errno (-EINVAL: no such URL; -ENOPKG: no libcurl), when a sentence has been said. */
int delivery_open(const struct delivery_options *options, struct delivery **ret_delivery);

/*
 * By any thread; waits neither for the network nor for the disk, but compresses. `request` stays the caller's. 0: taken, and the ledger
 * will have what became of it; or negative errno: dropped, as the ledger has it.
 */
int delivery_send(struct delivery *delivery, const struct push_request *request);

/* The figures of now. By any thread. */
void delivery_ledger(struct delivery *delivery, struct push_ledger *ret_ledger);

/*
 * Send what there is for as long as the store takes it, at most so many milliseconds; the rest goes to the spool, or is dropped. Nothing is
 * taken any more, and the ledger is the last one.
 */
void delivery_finish(struct delivery *delivery, u32 wait_ms);

/* Free it, after delivery_finish (with no wait, if that has not been called). NULL: nothing happens. */
void delivery_close(struct delivery *delivery);
