/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is said about a store and about losses: when that changes, and not for each request. */
#include "push/ledger.h"
#include "push/reply.h"

#define STORE_NEWS_EVERY_NS (600 * 1000000000ull) /* losses of one cause */

struct store_news {
	const char *url;
	const char *waiting_place; /* "in the spool 'DIR'" or "in memory" */
	bool away;
	u32 away_status; /* that was said; 0: no answer */
	u64 away_since_ns;
	bool warned;
	struct push_reply refusal; /* the last answer by which something was dropped, and for which cause */
	enum push_cause refusal_cause;
	struct push_amount said[PUSH_CAUSE_COUNT]; /* of the losses */
	u64 said_ns[PUSH_CAUSE_COUNT];		   /* when; 0: never */
};

/* A request was answered, and what follows. CLOCK_MONOTONIC. */
void store_news_answer(struct store_news *news, enum push_verdict verdict, enum push_cause cause,
		       const struct push_reply *reply, const struct push_ledger *ledger, u64 now_ns);

/* What has been lost since that was said last, if it is time; `last`: in any case. */
void store_news_losses(struct store_news *news, const struct push_ledger *ledger, u64 now_ns, bool last);
