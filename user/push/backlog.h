/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What is to be sent, and when: requests in memory and in the spool, oldest first, and the store's state. It knows neither clock nor
 * network: the caller says what time it is, sends what it is given, and says how that was answered. One thread uses it.
 *
 * Requests that arrive while the store takes them wait in memory. While it does not, or the spool holds older ones, they go to the
 * spool; without one, or where what is under way leaves no room there, they stay in memory, where the oldest give way. What leaves the
 * span of time that stores take is dropped.
 */
#include "push/backoff.h"
#include "push/ledger.h"
#include "push/queue.h"
#include "push/reply.h"
#include "push/spool.h"

#define BACKLOG_BYTES_MAX (16 << 20) /* of requests in memory */
#define BACKLOG_AGE_MAX_NS                                                                                             \
	((3600 - 60) * 1000000000ll) /* Pyroscope takes an hour; a minute is for the way and the clocks */
#define BACKLOG_AHEAD_MAX_NS ((600 - 60) * 1000000000ll) /* and ten minutes */

struct push_moment {
	s64 wall_ns;   /* CLOCK_REALTIME */
	u64 steady_ns; /* CLOCK_MONOTONIC */
};

struct backlog {
	struct push_ledger ledger;
	struct push_spool *spool; /* borrowed; NULL: none */
	struct queue queue;
	struct backoff backoff;
	struct push_request current; /* taken out to be sent; its path is NULL: none is */
	bool under_way;		     /* it is being sent */
	bool from_spool;	     /* it is the first of the spool, too, and stays there while it is under way */
	bool spool_fails;	     /* that has been said */
	enum push_cause cause;	     /* why the last answer took nothing */
};

void backlog_init(struct backlog *backlog, u64 seed);
void backlog_release(struct backlog *backlog);

/* Take the request over; whatever becomes of it is in the ledger. */
void backlog_add(struct backlog *backlog, struct push_request *request);

/* What the time has brought: drop what is too old, and put into the spool what belongs there. */
void backlog_tend(struct backlog *backlog, const struct push_moment *now);

/* The request to send now, the backlog's own until backlog_settle; NULL: none, or one is under way. */
const struct push_request *backlog_next(struct backlog *backlog, const struct push_moment *now);

/* How it was answered. Returns what follows: PUSH_SENT, PUSH_AGAIN or PUSH_DROP, with *ret_cause for the last two. */
enum push_verdict backlog_settle(struct backlog *backlog, const struct push_reply *reply, const struct push_moment *now,
				 enum push_cause *ret_cause);

/* How long backlog_next will give nothing; UINT64_MAX: until something is added or settled. */
u64 backlog_wait_ns(const struct backlog *backlog, const struct push_moment *now);

/* Nothing more will be sent: what there is goes to the spool, or is dropped. */
void backlog_end(struct backlog *backlog);
