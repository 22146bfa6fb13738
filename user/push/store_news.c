/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/store_news.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"

#define WHY_MAX (REPLY_TEXT_MAX + 64)

/* "it answers 503: overloaded", or what kept an answer from coming. */
static const char *why(const struct push_reply *reply, char text[WHY_MAX])
{
	if (reply->status)
		snprintf(text, WHY_MAX, "it answers %u%s%s", reply->status, *reply->text ? ": " : "", reply->text);
	else
		snprintf(text, WHY_MAX, "%s", *reply->text ? reply->text : "no answer");
	return text;
}

static void say_away(const struct store_news *news, const struct push_reply *reply)
{
	char text[WHY_MAX];

	log_note("'%s' takes no profiles (%s); they wait %s, and it is tried again", news->url, why(reply, text),
		 news->waiting_place);
}

void store_news_answer(struct store_news *news, enum push_verdict verdict, enum push_cause cause,
		       const struct push_reply *reply, const struct push_ledger *ledger, u64 now_ns)
{
	const bool rejected = verdict == PUSH_SENT && reply->rejected;

	if (verdict == PUSH_DROP || rejected) {
		news->refusal = *reply;
		news->refusal_cause = rejected ? PUSH_REJECTED : cause;
	}
	if (verdict == PUSH_SENT && reply->warns && !news->warned) {
		log_note("'%s' takes the profiles, and warns: %s", news->url, reply->text);
		news->warned = true;
	}
	if (verdict == PUSH_AGAIN && (!news->away || news->away_status != reply->status)) {
		say_away(news, reply);
		news->away_since_ns = news->away ? news->away_since_ns : now_ns;
		news->away_status = reply->status;
	}
	if (verdict == PUSH_SENT && news->away)
		log_note("'%s' takes profiles again after %.0f s; %" PRIu64 " requests are waiting", news->url,
			 (double)(now_ns - news->away_since_ns) / 1e9, ledger->waiting.requests);
	if (verdict != PUSH_DROP)
		news->away = verdict == PUSH_AGAIN;
}

/* The store's own words, in brackets; "" where it said none. */
static const char *because(const struct store_news *news, enum push_cause cause, char text[WHY_MAX + 3])
{
	char words[WHY_MAX];

	*text = '\0';
	if (news->refusal_cause == cause && (news->refusal.status || *news->refusal.text))
		snprintf(text, WHY_MAX + 3, " (%s)", why(&news->refusal, words));
	return text;
}

static void say_loss(const struct store_news *news, enum push_cause cause, const struct push_amount *lost)
{
	char text[WHY_MAX + 3];

	if (lost->requests)
		log_error("requests to '%s' are lost: %" PRIu64 " with %" PRIu64 " profiles, %s%s", news->url,
			  lost->requests, lost->profiles, push_cause_text(cause), because(news, cause, text));
	else
		log_error("profiles for '%s' are lost: %" PRIu64 ", %s%s", news->url, lost->profiles,
			  push_cause_text(cause), because(news, cause, text));
}

void store_news_losses(struct store_news *news, const struct push_ledger *ledger, u64 now_ns, bool last)
{
	for (int cause = 0; cause < PUSH_CAUSE_COUNT; cause++) {
		struct push_amount lost = ledger->dropped[cause];

		push_amount_subtract(&lost, &news->said[cause]);
		if (!lost.profiles && !lost.requests)
			continue;
		if (!last && news->said_ns[cause] && now_ns < news->said_ns[cause] + STORE_NEWS_EVERY_NS)
			continue;
		say_loss(news, (enum push_cause)cause, &lost);
		news->said[cause] = ledger->dropped[cause];
		news->said_ns[cause] = now_ns;
	}
}
