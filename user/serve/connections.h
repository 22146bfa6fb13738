/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What connections may take in time: a request that trickles in, an answer that nobody reads, a connection that says nothing. A thread
 * looks at all of them, and shuts down those whose time is over; the HTTP library then ends them. (Its own time-out begins anew with every
 * byte, and counts the time in which an answer is made.)
 */
#include "include/types.h"

#define CONNECTION_IDLE_MS	10000 /* until the whole request has come, also between two of them */
#define CONNECTION_SEND_MS	10000 /* for an answer, and as long as its size takes at ... */
#define CONNECTION_BYTES_SECOND 65536

struct connections;
struct connection;

/* `scale`: by which times are divided, for tests; 1. NULL: no memory or no thread. */
struct connections *connections_new(u32 scale);
void connections_free(struct connections *connections); /* after all of them */

/* A connection begins, waiting for a request. `fd` must stay open until the end. NULL: no memory. */
struct connection *connections_begin(struct connections *connections, int fd);
void connections_end(struct connections *connections, struct connection *connection);

/* Its request is complete: there is no limit while the answer is made. NULL as `connection`: nothing happens. */
void connections_answering(struct connections *connections, struct connection *connection);
void connections_sending(struct connections *connections, struct connection *connection, u64 bytes);
void connections_idle(struct connections *connections, struct connection *connection);
