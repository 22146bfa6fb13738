/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/push.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "base/units.h"
#include "push/delivery.h"
#include "push/interval.h"
#include "push/pair.h"
#include "system/shortage.h"

#define FINISH_MS 10000 /* for what is under way when pushing ends */
#define HOST_SIZE 256

/* --- mistakes --- */

static int parse_destination(const char *text, struct destination *ret_destination)
{
	const char *why;
	int err = destination_parse(text, ret_destination, &why);

	if (!err)
		return STATUS_DONE;
	if (err == -ENOMEM)
		log_error("out of memory");
	else if (strchr(text, '@'))
		log_error("the URL of '--to' %s", why);
	else
		log_error("'--to %s' %s", text, why);
	return err == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
}

int push_check(const struct push_options *options)
{
	struct destination destination;
	struct credentials credentials;
	int status = parse_destination(options->to, &destination);

	if (status)
		return status;
	destination_release(&destination);
	status = credentials_read(options->auth_file, options->tenant, options->header_file, &credentials);
	if (!status)
		credentials_release(&credentials);
	return status;
}

/* --- one interval --- */

struct pushing {
	const struct push_options *options;
	struct source *source;
	struct destination destination;
	struct delivery *delivery;
	struct push_series_table series;
	struct pair pair;
	struct batch batch;
	char host[HOST_SIZE];
	u32 failures; /* intervals that were put off */
};

static int send_request(const struct push_request *request, void *arg)
{
	return delivery_send(arg, request);
}

/* A recording is of when it was made. */
static s64 end_of(const struct pushing *pushing, const struct profile *profile)
{
	if (pushing->options->path)
		return (s64)(profile->start_unix_ns + profile->duration_ns);
	return (s64)clock_ns(CLOCK_REALTIME);
}

static int push_profile(struct pushing *pushing, const struct source_listing *listing, struct profile *profile)
{
	const struct interval interval = {
		.listing = listing,
		.profile = profile,
		.host = pushing->host,
		.taken_ns = end_of(pushing, profile),
	};
	int err;

	pushing->batch.taken_ns = interval.taken_ns;
	err = interval_sort(&interval, &pushing->series);
	err = err ? err : interval_send(&interval, &pushing->series, &pushing->batch);
	push_series_clear(&pushing->series);
	return err;
}

static int push_listed(struct pushing *pushing, const struct source_listing *listing)
{
	struct profile *profile;
	int err = pair_take(&pushing->pair, pushing->source, &profile);

	if (err)
		return err == -ENOENT ? 0 : err;
	err = push_profile(pushing, listing, profile);
	if (err)
		pair_drop(&pushing->pair);
	else
		pair_keep(&pushing->pair);
	profile_free(profile);
	return err;
}

/* True: it was the last one. */
static bool push_interval(struct pushing *pushing)
{
	struct source_listing listing;
	int err = source_list(pushing->source, false, &listing);
	bool ended = listing.ended;

	err = err ? err : push_listed(pushing, &listing);
	source_listing_release(&listing);
	if (!err || err == -ECANCELED)
		return ended || err;
	if (!pushing->failures++)
		log_error("cannot make the profiles of this interval: %s; the next one has what was allocated in it",
			  shortage_explain(err).text);
	return ended;
}

/* --- from beginning to end --- */

/* Until that moment; true: it is to stop before. */
static bool wait_until(int stop_fd, u64 due_ns)
{
	struct pollfd stop = {.fd = stop_fd, .events = POLLIN};

	for (u64 now = clock_now_ns(); now < due_ns; now = clock_now_ns()) {
		u64 left_ms = (due_ns - now) / 1000000 + 1;

		if (poll(&stop, 1, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX) > 0)
			return true;
	}
	return false;
}

/* Intervals that were missed, by a source or a store that took so long, are part of the next one. */
static void push_on(struct pushing *pushing, int stop_fd)
{
	double every_s = pushing->options->every_s > 0 ? pushing->options->every_s : PUSH_EVERY_S;
	u64 every_ns = (u64)(every_s * 1e9), due = clock_now_ns();
	bool over = false;

	while (!over) {
		u64 now = clock_now_ns();

		due = due + every_ns > now ? due + every_ns : now + every_ns;
		over = !pushing->options->path && wait_until(stop_fd, due);
		over |= push_interval(pushing);
	}
}

static int say_losses(const struct push_ledger *ledger)
{
	const struct push_amount dropped = push_ledger_dropped(ledger);

	log_note("pushed %s profiles in %s requests%s", units_digits(ledger->sent.profiles).text,
		 units_digits(ledger->sent.requests).text, ledger->waiting.requests ? "; more are in the spool" : "");
	for (unsigned int i = 0; i < PUSH_CAUSE_COUNT; i++)
		if (ledger->dropped[i].requests)
			log_error("lost %s profiles (%s samples) as %s: %s",
				  units_digits(ledger->dropped[i].profiles).text,
				  units_digits(ledger->dropped[i].samples).text, push_cause_name(i),
				  push_cause_text(i));
	return dropped.requests ? STATUS_FAILED : STATUS_DONE;
}

static int finish(struct pushing *pushing)
{
	struct push_ledger ledger;

	delivery_finish(pushing->delivery, FINISH_MS);
	delivery_ledger(pushing->delivery, &ledger);
	push_ledger_add(&ledger, &pushing->batch.lost);
	if (pushing->failures > 1)
		log_note("%u intervals were put off for the next", pushing->failures);
	if (pushing->series.beyond)
		log_note("more than %d series: %s times a process went into the one whose service is 'other'",
			 SERIES_MAX, units_digits(pushing->series.beyond).text);
	return say_losses(&ledger);
}

static int push(struct pushing *pushing, const struct credentials *credentials, int stop_fd)
{
	const struct push_options *options = pushing->options;
	const struct delivery_options delivery = {
		.url = pushing->destination.url,
		.credentials = credentials,
		.ca_file = options->ca_file,
		.spool = options->spool,
		.spool_bytes = options->spool_bytes,
	};
	int status;

	if (delivery_open(&delivery, &pushing->delivery))
		return STATUS_FAILED;
	pushing->batch.arg = pushing->delivery;
	log_note("pushing to %s", options->to);
	if (destination_is_open(&pushing->destination))
		log_note("what is sent to %s is not encrypted; https:// would be", pushing->destination.url);
	push_on(pushing, stop_fd);
	status = finish(pushing);
	delivery_close(pushing->delivery);
	return status;
}

int push_run(struct source *source, int stop_fd, void *arg)
{
	const struct push_options *options = arg;
	struct pushing pushing = {.options = options, .source = source, .batch.send = send_request};
	struct credentials credentials;
	int status = parse_destination(options->to, &pushing.destination);

	if (status)
		return status;
	if (gethostname(pushing.host, sizeof(pushing.host) - 1))
		pushing.host[0] = '\0';
	pushing.batch.store = push_store_of(pushing.destination.store);
	pushing.series = (struct push_series_table){.store = pushing.destination.store, .own = &options->labels};
	status = credentials_read(options->auth_file, options->tenant, options->header_file, &credentials);
	if (!status) {
		status = push(&pushing, &credentials, stop_fd);
		credentials_release(&credentials);
	}
	pair_release(&pushing.pair);
	push_series_release(&pushing.series);
	destination_release(&pushing.destination);
	return status;
}
