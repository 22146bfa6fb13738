/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How a store has answered a request, and what follows from that. */
#include <stdbool.h>

#include "push/ledger.h"

#define REPLY_TEXT_MAX 256

struct push_reply {
	u32 status;		   /* of HTTP; 0: none came */
	bool whole;		   /* it ended as it should, within the bounds */
	bool garbled;		   /* what came is not HTTP, or has headers without end */
	enum push_failure failure; /* where no whole answer came: why */
	u64 said_ns;		   /* so long the store said to wait; 0: it said nothing */
	u64 rejected;		   /* so many of the profiles in a request that it took it did not take, it says */
	bool warns;		   /* it took them all, and the text is a warning */
	char text
		[REPLY_TEXT_MAX]; /* for people: what went wrong with the connection or the answer, or what the store wrote */
};

enum push_verdict {
	PUSH_SENT = 1,
	PUSH_AGAIN,	  /* later, as often as it takes; what never comes to that is lost for *ret_cause */
	PUSH_AGAIN_A_FEW, /* later, PUSH_TRIES times in all; then it is dropped for *ret_cause */
	PUSH_DROP,	  /* for *ret_cause */
};

#define PUSH_TRIES 3

/*
 * By the status alone, except that an answer that takes the profiles must be whole. Sent again is what the store did not take (408, 425,
 * 429, 502, 503, 504, as OTLP and Prometheus have it, and no answer at all), and what it wants other credentials for (401, 407): they
 * are the same for all requests, and may be mended. A few times, what may go wrong each time (500, what is no HTTP).
 */
enum push_verdict push_reply_verdict(const struct push_reply *reply, enum push_cause *ret_cause);

/* Why an attempt failed that was answered so, and not PUSH_SENT: by the status, where one came that says so. */
enum push_failure push_reply_failure(const struct push_reply *reply);
