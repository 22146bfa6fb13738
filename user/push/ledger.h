/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What became of all that was to be pushed, in requests, profiles and samples. Each of the three MUST balance at any time:
 *
 *   taken + resumed = sent + the sum of dropped + waiting
 *
 * and so MUST the requests that were begun, of which at most one is under way:
 *
 *   attempts = sent.requests + dropped[PUSH_REJECTED].requests + the sum of failed + 0 or 1
 */
#include <stdbool.h>

#include "include/types.h"

/* Causes of losses: id, name as in metrics, one line. */
#define PUSH_CAUSES(X)                                                                                                 \
	X(TOO_OLD, too_old,                                                                                            \
	  "older than what stores take: the store was away, the recording is old, or the clock stepped")               \
	X(TOO_NEW, too_new, "ahead of the clock by more than what stores take, as after the clock was set back")       \
	X(TOO_LARGE, too_large, "larger than what heaptap or the store takes (413)")                                   \
	X(QUEUE_FULL, queue_full, "no room in memory for what could not be sent")                                      \
	X(SPOOL_FULL, spool_full, "no room in the spool: the oldest went first")                                       \
	X(SPOOL_DAMAGED, spool_damaged, "files of the spool that could not be read, or were not whole")                \
	X(DENIED, denied, "refused by the store for want of valid credentials (401, 403, 407)")                        \
	X(REFUSED, refused, "refused by the store for what they are (another 4xx)")                                    \
	X(REJECTED, rejected, "rejected by the store out of requests that it took otherwise (OTLP's partial success)") \
	X(REDIRECTED, redirected, "answered by a redirect (3xx), which is not followed")                               \
	X(BAD_ANSWER, bad_answer, "answered by what is no answer of a store; whether it has them is unknown")          \
	X(STORE_FAILED, store_failed, "answered by the store's own failure, again and again (500)")                    \
	X(NO_MEMORY, no_memory, "no memory to hold them")                                                              \
	X(UNSENT, unsent, "not sent when heaptap ended, and without a spool to keep them")

enum push_cause {
#define PUSH_CAUSE(id, name, text) PUSH_##id,
	PUSH_CAUSES(PUSH_CAUSE)
#undef PUSH_CAUSE
	PUSH_CAUSE_COUNT
};

/* Why an attempt to send a request failed, whether it is sent again or not: id, name as in metrics, one line. */
#define PUSH_FAILURES(X)                                                                                               \
	X(CUT, cut, "the connection ended before the answer was whole")                                                \
	X(OTHER, other, "libcurl failed in another way")                                                               \
	X(NO_NAME, no_name, "the name of the store, or of the proxy, could not be resolved")                           \
	X(NO_CONNECTION, no_connection, "no connection to the store, or to the proxy")                                 \
	X(TLS, tls, "no TLS connection, or a certificate that is not good")                                            \
	X(TIMEOUT, timeout, "no whole answer in time")                                                                 \
	X(BAD_ANSWER, bad_answer, "what was answered is no answer of a store")                                         \
	X(STATUS_3XX, status_3xx, "redirected (3xx)")                                                                  \
	X(STATUS_429, status_429, "told to send less (429)")                                                           \
	X(STATUS_4XX, status_4xx, "refused (another 4xx)")                                                             \
	X(STATUS_5XX, status_5xx, "the store, or what stands before it, failed or was busy (5xx)")                     \
	X(NO_MEMORY, no_memory, "no memory here to send it")                                                           \
	X(STOPPED, stopped, "under way when heaptap ended")

enum push_failure {
#define PUSH_FAILURE(id, name, text) PUSH_FAILED_##id,
	PUSH_FAILURES(PUSH_FAILURE)
#undef PUSH_FAILURE
	PUSH_FAILURE_COUNT
};

struct push_amount {
	u64 requests, profiles, samples; /* profiles as the store counts them */
};

struct push_ledger {
	struct push_amount taken;   /* handed to delivery */
	struct push_amount resumed; /* found in the spool, where another run had left them */
	struct push_amount sent;    /* the store answered that it has them */
	struct push_amount dropped[PUSH_CAUSE_COUNT];
	struct push_amount waiting;	/* in memory, in the spool or under way */
	struct push_amount spooled;	/* written to the spool since the start, whatever became of them */
	u64 attempts;			/* requests begun, repeated ones too */
	u64 failed[PUSH_FAILURE_COUNT]; /* of these */
	u64 sent_bytes;			/* of the bodies of those that are sent */
	/*
	 * What came into no profile, and so is in no sum above: processes that ended between two intervals and were too many to be
	 * kept until the next one, and what they allocated.
	 */
	u64 untold_processes, untold_bytes;
};

/* Names and lines of PUSH_CAUSES and of PUSH_FAILURES. */
const char *push_cause_name(enum push_cause cause);
const char *push_cause_text(enum push_cause cause);
const char *push_failure_name(enum push_failure failure);
const char *push_failure_text(enum push_failure failure);

void push_amount_add(struct push_amount *sum, const struct push_amount *more);
void push_amount_subtract(struct push_amount *sum, const struct push_amount *less);

/*
 * What so many of its profiles are: the whole, if they are all; else no request, and of the samples as large a part as of the profiles, since
 * stores do not count those.
 */
struct push_amount push_amount_part(const struct push_amount *whole, u64 profiles);

/* Add each figure of `more`. */
void push_ledger_add(struct push_ledger *sum, const struct push_ledger *more);

struct push_amount push_ledger_dropped(const struct push_ledger *ledger);
u64 push_ledger_failed(const struct push_ledger *ledger); /* attempts, for any cause */
bool push_ledger_balances(const struct push_ledger *ledger);
