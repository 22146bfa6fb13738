/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/backlog.h"

#include <errno.h>

#include "base/log.h"
#include "system/shortage.h"

void backlog_init(struct backlog *backlog, u64 seed)
{
	*backlog = (struct backlog){
		.queue.bytes_max = BACKLOG_BYTES_MAX, .backoff.seed = seed ? seed : 1, .cause = PUSH_UNSENT};
}

void backlog_release(struct backlog *backlog)
{
	queue_release(&backlog->queue);
	push_request_free(&backlog->current);
}

/* --- losses --- */

static void lose(struct backlog *backlog, const struct push_amount *amount, enum push_cause cause)
{
	push_amount_subtract(&backlog->ledger.waiting, amount);
	push_amount_add(&backlog->ledger.dropped[cause], amount);
}

static void lose_request(struct backlog *backlog, struct push_request *request, enum push_cause cause)
{
	const struct push_amount amount = queue_amount(request);

	lose(backlog, &amount, cause);
	push_request_free(request);
}

static void lose_first_queued(struct backlog *backlog, enum push_cause cause)
{
	struct push_request request;

	if (queue_take(&backlog->queue, &request))
		lose_request(backlog, &request, cause);
}

static void lose_first_spooled(struct backlog *backlog, enum push_cause cause)
{
	const struct push_amount amount = push_spool_drop(backlog->spool);

	push_amount_add(&backlog->ledger.dropped[cause], &amount);
}

/* Is it outside the span of time that stores take? */
static bool is_out_of_time(s64 taken_ns, const struct push_moment *now, enum push_cause *ret_cause)
{
	*ret_cause = taken_ns < now->wall_ns ? PUSH_TOO_OLD : PUSH_TOO_NEW;
	return taken_ns < now->wall_ns - BACKLOG_AGE_MAX_NS || taken_ns > now->wall_ns + BACKLOG_AHEAD_MAX_NS;
}

static void expire(struct backlog *backlog, const struct push_moment *now)
{
	enum push_cause cause;
	s64 taken_ns;

	if (backlog->current.path && !backlog->under_way && is_out_of_time(backlog->current.taken_ns, now, &cause))
		lose_request(backlog, &backlog->current, cause);
	while (backlog->spool && !backlog->from_spool && push_spool_first(backlog->spool, &taken_ns) &&
	       is_out_of_time(taken_ns, now, &cause))
		lose_first_spooled(backlog, cause);
	while (backlog->queue.first && is_out_of_time(backlog->queue.first->request.taken_ns, now, &cause))
		lose_first_queued(backlog, cause);
}

/* --- to the spool --- */

static void say_spool(struct backlog *backlog, int err)
{
	if (!backlog->spool_fails)
		log_error(
			"cannot write to the spool: %s; what cannot be sent waits in memory, where there is less room",
			shortage_explain(err).text);
	backlog->spool_fails = true;
}

/* 0, or as push_spool_add. What the disk does not take is said; the request stays the caller's. */
static int put_in_spool(struct backlog *backlog, const struct push_request *request)
{
	const struct push_amount amount = queue_amount(request);
	int err = push_spool_add(backlog->spool, request);

	if (!err) {
		push_amount_subtract(&backlog->ledger.waiting, &amount); /* the spool has added it */
		backlog->spool_fails = false;
	} else if (err != -E2BIG && err != -EBUSY) {
		say_spool(backlog, err);
	}
	return err;
}

/*
 * What was taken from memory goes before all that came later, so that it is tried first again, and displaced first: also while it is under
 * way, if others are to follow. False: it cannot go there now.
 */
static bool spool_current(struct backlog *backlog)
{
	int err;

	if (!backlog->current.path || backlog->from_spool || (backlog->under_way && !backlog->queue.first))
		return true;
	err = put_in_spool(backlog, &backlog->current);
	if (err == -E2BIG && !backlog->under_way)
		lose_request(backlog, &backlog->current, PUSH_SPOOL_FULL);
	if (err)
		return err == -E2BIG;
	backlog->from_spool = backlog->under_way;
	if (backlog->under_way)
		push_spool_hold(backlog->spool);
	else
		push_request_free(&backlog->current);
	return true;
}

/* False: there is none, or it cannot go there now. */
static bool spool_first_queued(struct backlog *backlog)
{
	struct push_request request;
	int err = backlog->queue.first ? put_in_spool(backlog, &backlog->queue.first->request) : -ENOENT;

	if (err == -E2BIG)
		lose_first_queued(backlog, PUSH_SPOOL_FULL);
	else if (!err && queue_take(&backlog->queue, &request))
		push_request_free(&request);
	return !err || err == -E2BIG;
}

/* All that is in memory, oldest first. */
static void spool_all(struct backlog *backlog)
{
	bool more = spool_current(backlog);

	while (more)
		more = spool_first_queued(backlog);
}

static bool belongs_in_spool(const struct backlog *backlog, const struct push_moment *now)
{
	return push_spool_count(backlog->spool) || backoff_wait_ns(&backlog->backoff, now->steady_ns) ||
	       backlog->queue.bytes > backlog->queue.bytes_max / 2;
}

/* --- in --- */

void backlog_add(struct backlog *backlog, struct push_request *request)
{
	const struct push_amount amount = queue_amount(request);
	int err;

	push_amount_add(&backlog->ledger.taken, &amount);
	push_amount_add(&backlog->ledger.waiting, &amount);
	while ((err = queue_add(&backlog->queue, request)) == -ENOBUFS && backlog->queue.first)
		lose_first_queued(backlog, PUSH_QUEUE_FULL);
	if (err)
		lose_request(backlog, request, err == -ENOMEM ? PUSH_NO_MEMORY : PUSH_QUEUE_FULL);
}

void backlog_tend(struct backlog *backlog, const struct push_moment *now)
{
	expire(backlog, now);
	if (backlog->spool && belongs_in_spool(backlog, now))
		spool_all(backlog);
}

/* --- out --- */

/* False: the spool has none that can be read now. */
static bool take_from_spool(struct backlog *backlog, const struct push_moment *now)
{
	int err = -EBADMSG;

	while (err == -EBADMSG)
		err = push_spool_load(backlog->spool, &backlog->current);
	backlog->from_spool = !err;
	if (err && err != -ENOENT)
		backoff_fail(&backlog->backoff, now->steady_ns, 0);
	return !err;
}

static bool take_current(struct backlog *backlog, const struct push_moment *now)
{
	if (backlog->current.path)
		return true;
	if (backlog->spool && push_spool_count(backlog->spool) && take_from_spool(backlog, now))
		return true;
	return !backoff_wait_ns(&backlog->backoff, now->steady_ns) && queue_take(&backlog->queue, &backlog->current);
}

const struct push_request *backlog_next(struct backlog *backlog, const struct push_moment *now)
{
	if (backlog->under_way || backoff_wait_ns(&backlog->backoff, now->steady_ns))
		return NULL;
	expire(backlog, now);
	if (!take_current(backlog, now))
		return NULL;
	backlog->under_way = true;
	backlog->ledger.attempts++;
	return &backlog->current;
}

/* It is out of the way: sent, or dropped. What it was. */
static struct push_amount remove_current(struct backlog *backlog)
{
	struct push_amount amount = queue_amount(&backlog->current);

	if (backlog->from_spool)
		amount = push_spool_drop(backlog->spool);
	else
		push_amount_subtract(&backlog->ledger.waiting, &amount);
	push_request_free(&backlog->current);
	backlog->from_spool = false;
	return amount;
}

static void book_sent(struct push_ledger *ledger, const struct push_amount *amount, size_t size, u64 rejected)
{
	const struct push_amount lost = rejected ? push_amount_part(amount, rejected) : (struct push_amount){0};

	push_amount_add(&ledger->sent, amount);
	push_amount_subtract(&ledger->sent, &lost);
	push_amount_add(&ledger->dropped[PUSH_REJECTED], &lost);
	/* A request of which nothing was taken is lost whole. */
	ledger->sent_bytes += lost.requests ? 0 : size;
}

/* It is to be sent again: the spool has it, or gets it in backlog_tend. */
static void keep_current(struct backlog *backlog)
{
	if (!backlog->from_spool)
		return;
	push_spool_put_back(backlog->spool, &backlog->current);
	push_request_free(&backlog->current);
	backlog->from_spool = false;
}

enum push_verdict backlog_settle(struct backlog *backlog, const struct push_reply *reply, const struct push_moment *now,
				 enum push_cause *ret_cause)
{
	enum push_verdict verdict = push_reply_verdict(reply, ret_cause);
	struct push_amount amount;
	size_t size = backlog->current.size;

	backlog->under_way = false;
	if (verdict != PUSH_SENT)
		backlog->ledger.failed[push_reply_failure(reply)]++;
	if (verdict == PUSH_AGAIN_A_FEW)
		verdict = ++backlog->current.tries < PUSH_TRIES ? PUSH_AGAIN : PUSH_DROP;
	if (verdict == PUSH_AGAIN) {
		backlog->cause = *ret_cause;
		backoff_fail(&backlog->backoff, now->steady_ns, reply->said_ns);
		keep_current(backlog);
		return verdict;
	}
	backoff_succeed(&backlog->backoff);
	amount = remove_current(backlog);
	if (verdict == PUSH_SENT)
		book_sent(&backlog->ledger, &amount, size, reply->rejected);
	else
		push_amount_add(&backlog->ledger.dropped[*ret_cause], &amount);
	return verdict;
}

u64 backlog_wait_ns(const struct backlog *backlog, const struct push_moment *now)
{
	if (backlog->under_way ||
	    (!backlog->current.path && !backlog->queue.first && !(backlog->spool && push_spool_count(backlog->spool))))
		return UINT64_MAX;
	return backoff_wait_ns(&backlog->backoff, now->steady_ns);
}

void backlog_end(struct backlog *backlog)
{
	const enum push_cause cause = backlog->backoff.failures ? backlog->cause : PUSH_UNSENT;

	if (backlog->under_way)
		backlog->ledger.failed[PUSH_FAILED_STOPPED]++;
	backlog->under_way = false;
	keep_current(backlog);
	if (backlog->spool)
		spool_all(backlog);
	if (backlog->current.path)
		lose_request(backlog, &backlog->current, cause);
	while (backlog->queue.first)
		lose_first_queued(backlog, cause);
}
