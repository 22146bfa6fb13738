/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other threads put requests into `arriving`, and wake the thread that has all the rest. Its ledger is copied where they can read it,
 * once in each turn.
 */
#include "push/delivery.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "push/backlog.h"
#include "push/curl_library.h"
#include "push/store_news.h"
#include "push/transfer.h"
#include "system/shortage.h"

#define NS_PER_MS    1000000ull
#define REST_NS	     (60 * 1000 * NS_PER_MS) /* a turn at least so often: what waits becomes too old */
#define ARRIVING_MAX (16 << 20)		     /* bytes */

struct delivery {
	struct transfer *transfer;
	struct push_spool *spool;
	struct backlog backlog;
	struct store_news news;
	char *waiting_place, *url;
	struct thread thread;

	pthread_mutex_t lock; /* of what follows */
	struct queue arriving;
	struct push_ledger door;      /* what was not taken */
	struct push_ledger published; /* the backlog's, and what it is being given */
	bool finishing;
	u64 finish_ns; /* by then, CLOCK_MONOTONIC */
};

static struct push_moment now(void)
{
	return (struct push_moment){(s64)clock_ns(CLOCK_REALTIME), clock_ns(CLOCK_MONOTONIC)};
}

/* --- the thread --- */

static void publish(struct delivery *delivery)
{
	pthread_mutex_lock(&delivery->lock);
	delivery->published = delivery->backlog.ledger;
	pthread_mutex_unlock(&delivery->lock);
}

/* What arrives is in one of the two ledgers at any time. */
static void take_arriving(struct delivery *delivery)
{
	struct push_request request;
	struct queue arrived;

	pthread_mutex_lock(&delivery->lock);
	arrived = delivery->arriving;
	delivery->arriving = (struct queue){.bytes_max = ARRIVING_MAX};
	push_amount_add(&delivery->published.taken, &arrived.amount);
	push_amount_add(&delivery->published.waiting, &arrived.amount);
	pthread_mutex_unlock(&delivery->lock);
	while (queue_take(&arrived, &request))
		backlog_add(&delivery->backlog, &request);
}

/* Nothing is left to do, or no time; `ret_left_ns`: how much there is. */
static bool is_over(struct delivery *delivery, const struct push_moment *moment, u64 *ret_left_ns)
{
	u64 wait_ns = backlog_wait_ns(&delivery->backlog, moment);
	bool finishing;

	pthread_mutex_lock(&delivery->lock);
	finishing = delivery->finishing;
	*ret_left_ns = !finishing				 ? REST_NS
		       : delivery->finish_ns > moment->steady_ns ? delivery->finish_ns - moment->steady_ns
								 : 0;
	pthread_mutex_unlock(&delivery->lock);
	return finishing && (!*ret_left_ns || (wait_ns && !delivery->backlog.under_way));
}

static void begin_next(struct delivery *delivery, const struct push_moment *moment)
{
	const struct push_request *request = backlog_next(&delivery->backlog, moment);

	if (request)
		transfer_begin(delivery->transfer, request);
}

/* False: nothing has ended. */
static bool settle(struct delivery *delivery)
{
	struct push_reply reply;
	struct push_moment moment;
	enum push_verdict verdict;
	enum push_cause cause;

	if (!transfer_step(delivery->transfer, &reply))
		return false;
	moment = now();
	verdict = backlog_settle(&delivery->backlog, &reply, &moment, &cause);
	store_news_answer(&delivery->news, verdict, cause, &reply, &delivery->backlog.ledger, moment.steady_ns);
	return true;
}

static void rest(struct delivery *delivery, const struct push_moment *moment, u64 left_ns)
{
	u64 wait_ns = backlog_wait_ns(&delivery->backlog, moment);

	transfer_wait(delivery->transfer, wait_ns < left_ns ? wait_ns : left_ns);
}

static void say_losses(struct delivery *delivery, u64 now_ns, bool last)
{
	struct push_ledger ledger;

	delivery_ledger(delivery, &ledger);
	store_news_losses(&delivery->news, &ledger, now_ns, last);
}

static void end(struct delivery *delivery)
{
	transfer_abandon(delivery->transfer);
	take_arriving(delivery);
	backlog_end(&delivery->backlog);
	publish(delivery);
	say_losses(delivery, now().steady_ns, true);
}

static void work(void *arg)
{
	struct delivery *delivery = arg;
	sigset_t all;

	sigfillset(&all); /* SIGPIPE above all, which a TLS library may raise */
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (;;) {
		struct push_moment moment = now();
		u64 left_ns;

		take_arriving(delivery);
		backlog_tend(&delivery->backlog, &moment);
		if (is_over(delivery, &moment, &left_ns))
			break;
		begin_next(delivery, &moment);
		if (settle(delivery))
			left_ns = 0;
		publish(delivery);
		say_losses(delivery, moment.steady_ns, false);
		if (left_ns)
			rest(delivery, &moment, left_ns);
	}
	end(delivery);
}

/* --- its life --- */

static int open_spool(struct delivery *delivery, const struct delivery_options *options)
{
	struct push_spool_options spool = {options->spool, options->url,
					   options->spool_bytes ? options->spool_bytes : DELIVERY_SPOOL_BYTES};
	int err;

	if (asprintf(&delivery->waiting_place, options->spool ? "in the spool '%s'" : "in memory", options->spool) <
	    0) {
		delivery->waiting_place = NULL;
		log_error("out of memory");
		return -ENOMEM;
	}
	if (!options->spool)
		return 0;
	err = push_spool_open(&spool, &delivery->backlog.ledger, &delivery->spool);
	delivery->backlog.spool = delivery->spool;
	delivery->published = delivery->backlog.ledger;
	return err;
}

static int start(struct delivery *delivery, const struct delivery_options *options)
{
	struct transfer_options transfer = {delivery->url, options->credentials, options->ca_file,
					    options->timeout_ms ? options->timeout_ms : DELIVERY_TIMEOUT_MS};
	int err = transfer_open(&transfer, &delivery->transfer);

	if (!err)
		err = thread_start(&delivery->thread, work, delivery);
	if (err)
		log_error("cannot send to '%s': %s", options->url, shortage_explain(err).text);
	return err;
}

static int check_options(const struct delivery_options *options)
{
	int err = curl_library_load();

	if (err)
		return err;
	if (!transfer_takes_url(options->url)) {
		log_error("'%s' is no address of a store: write http:// or https://, HOST:PORT and perhaps a path",
			  options->url);
		return -EINVAL;
	}
	if (options->ca_file && access(options->ca_file, R_OK)) {
		log_error("cannot read '%s': %s", options->ca_file, shortage_explain(-errno).text);
		return -EINVAL;
	}
	return 0;
}

/* Agents must not all have the same random numbers. */
static u64 make_seed(void)
{
	u64 seed;

	return getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed) ? seed : clock_now_ns();
}

int delivery_open(const struct delivery_options *options, struct delivery **ret_delivery)
{
	struct delivery *delivery;
	int err = check_options(options);

	if (err)
		return err;
	delivery = calloc(1, sizeof(*delivery));
	if (!delivery || !(delivery->url = strdup(options->url))) {
		log_error("out of memory");
		free(delivery);
		return -ENOMEM;
	}
	pthread_mutex_init(&delivery->lock, NULL);
	delivery->arriving.bytes_max = ARRIVING_MAX;
	backlog_init(&delivery->backlog, make_seed());
	err = open_spool(delivery, options);
	delivery->news = (struct store_news){.url = delivery->url, .waiting_place = delivery->waiting_place};
	if (!err)
		err = start(delivery, options);
	if (err)
		delivery_close(delivery);
	else
		*ret_delivery = delivery;
	return err;
}

void delivery_finish(struct delivery *delivery, u32 wait_ms)
{
	pthread_mutex_lock(&delivery->lock);
	delivery->finishing = true;
	delivery->finish_ns = clock_now_ns() + wait_ms * NS_PER_MS;
	pthread_mutex_unlock(&delivery->lock);
	if (delivery->thread.started)
		transfer_wake(delivery->transfer);
	thread_finish(&delivery->thread);
}

void delivery_close(struct delivery *delivery)
{
	if (!delivery)
		return;
	delivery_finish(delivery, 0);
	transfer_close(delivery->transfer);
	backlog_release(&delivery->backlog);
	queue_release(&delivery->arriving);
	push_spool_close(delivery->spool);
	pthread_mutex_destroy(&delivery->lock);
	free(delivery->waiting_place);
	free(delivery->url);
	free(delivery);
}

/* --- for other threads --- */

static int refuse(struct delivery *delivery, const struct push_request *request, int err)
{
	const struct push_amount amount = queue_amount(request);
	enum push_cause cause = err == -EFBIG ? PUSH_TOO_LARGE : err == -ENOBUFS ? PUSH_QUEUE_FULL : PUSH_NO_MEMORY;

	if (err == -ESHUTDOWN)
		cause = PUSH_UNSENT;
	push_amount_add(&delivery->door.taken, &amount);
	push_amount_add(&delivery->door.dropped[cause], &amount);
	return err;
}

int delivery_send(struct delivery *delivery, const struct push_request *request)
{
	struct push_request packed = {0};
	int err = push_request_pack(request, &packed);

	pthread_mutex_lock(&delivery->lock);
	if (!err)
		err = delivery->finishing ? -ESHUTDOWN : queue_add(&delivery->arriving, &packed);
	if (err)
		refuse(delivery, request, err);
	pthread_mutex_unlock(&delivery->lock);
	push_request_free(&packed); /* empty, if it was taken */
	if (!err)
		transfer_wake(delivery->transfer);
	return err;
}

void delivery_ledger(struct delivery *delivery, struct push_ledger *ret_ledger)
{
	struct push_ledger ledger;

	pthread_mutex_lock(&delivery->lock);
	ledger = delivery->published;
	push_ledger_add(&ledger, &delivery->door);
	push_amount_add(&ledger.taken, &delivery->arriving.amount);
	push_amount_add(&ledger.waiting, &delivery->arriving.amount);
	pthread_mutex_unlock(&delivery->lock);
	*ret_ledger = ledger;
}
