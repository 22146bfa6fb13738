/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/pushing.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/status.h"
#include "base/units.h"
#include "push/curl_library.h"
#include "push/delivery.h"
#include "push/interval.h"
#include "push/pair.h"
#include "system/container_log.h"
#include "system/shortage.h"

#define FINISH_MS 10000 /* for what is under way when pushing ends */
#define HOST_SIZE 256

struct pushing {
	const struct push_options *options;
	struct destination destination;
	struct credentials credentials;
	struct delivery *delivery;
	struct push_series_table series;
	struct pair pair;
	struct batch batch;
	char host[HOST_SIZE];
	u32 failures; /* intervals that were put off */
	bool put_off; /* the last one was */
	bool go_left_out, alloc_only;
	u64 sample_bytes;
	pthread_mutex_t lock;
	struct push_ledger
		lost; /* under the lock: what was not made a request, as the batch had it after the last interval */
};

/* --- mistakes --- */

static const char *option_of(const struct push_options *options)
{
	return options->option ? options->option : "--to";
}

static int parse_destination(const struct push_options *options, struct destination *ret_destination)
{
	const char *why;
	int err = destination_parse(options->to, ret_destination, &why);

	if (!err)
		return STATUS_DONE;
	if (err == -ENOMEM)
		log_error("out of memory");
	else if (strchr(options->to, '@'))
		log_error("the URL of '%s' %s", option_of(options), why);
	else
		log_error("'%s %s' %s", option_of(options), options->to, why);
	return err == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
}

int push_check(const struct push_options *options)
{
	struct destination destination;
	struct credentials credentials;
	int status = parse_destination(options, &destination);

	if (status)
		return status;
	destination_release(&destination);
	if (curl_library_load())
		return STATUS_UNSUPPORTED;
	status = credentials_read(options->auth_file, options->tenant, options->header_file, &credentials);
	if (!status)
		credentials_release(&credentials);
	return status;
}

/* --- one interval --- */

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

static void publish_lost(struct pushing *pushing)
{
	pthread_mutex_lock(&pushing->lock);
	pushing->lost = pushing->batch.lost;
	pthread_mutex_unlock(&pushing->lock);
}

/* The source's sums are since the beginning. */
static void note_untold(struct pushing *pushing, const struct source_untold *untold)
{
	pushing->batch.lost.untold_processes = untold->processes;
	pushing->batch.lost.untold_bytes = untold->bytes;
	publish_lost(pushing);
}

static int push_profile(struct pushing *pushing, const struct source_listing *listing, struct profile *profile,
			s64 taken_ns)
{
	const struct interval interval = {
		.listing = listing,
		.profile = profile,
		.host = pushing->host,
		.container_logs = CONTAINER_LOG_DIRECTORY,
		.taken_ns = taken_ns ? taken_ns : end_of(pushing, profile),
	};
	int err;

	pushing->batch.taken_ns = interval.taken_ns;
	err = interval_sort(&interval, &pushing->series);
	err = err ? err : interval_send(&interval, &pushing->series, &pushing->batch);
	push_series_clear(&pushing->series);
	publish_lost(pushing);
	return err;
}

/* What there was to take. */
static void note_taken(struct pushing *pushing, const struct source_listing *listing, const struct profile *profile)
{
	pushing->go_left_out |= listing->go_left_out;
	pushing->sample_bytes = listing->sample_bytes;
	pushing->alloc_only = profile->alloc_only;
}

static int push_taken(struct pushing *pushing, const struct source_listing *listing, struct profile *profile,
		      s64 taken_ns)
{
	int err = push_profile(pushing, listing, profile, taken_ns);

	note_taken(pushing, listing, profile);
	if (err)
		pair_drop(&pushing->pair);
	else
		pair_keep(&pushing->pair);
	profile_free(profile);
	return err;
}

int pushing_interval(struct pushing *pushing, struct source *source, s64 taken_ns, bool *ret_ended)
{
	struct source_listing listing;
	struct profile *profile;
	int err = pair_take(&pushing->pair, source, &listing, &profile);

	*ret_ended = listing.ended;
	if (!err || err == -ENOENT)
		note_untold(pushing, &listing.untold);
	if (!err)
		err = push_taken(pushing, &listing, profile, taken_ns);
	else if (err == -ENOENT)
		err = 0; /* nobody has anything */
	source_listing_release(&listing);
	pushing->put_off = err && err != -ECANCELED;
	if (pushing->put_off && !pushing->failures++)
		log_error("cannot make the profiles of this interval: %s; the next one has what was allocated in it",
			  shortage_explain(err).text);
	return err;
}

/* --- the figures --- */

const struct push_options *pushing_options(const struct pushing *pushing)
{
	return pushing->options;
}

void pushing_ledger(struct pushing *pushing, struct push_ledger *ret_ledger)
{
	struct push_ledger lost;

	pthread_mutex_lock(&pushing->lock);
	lost = pushing->lost;
	pthread_mutex_unlock(&pushing->lock);
	delivery_ledger(pushing->delivery, ret_ledger);
	push_ledger_add(ret_ledger, &lost);
}

void pushing_say_go_left_out(u64 sample_bytes, bool alloc_only)
{
	if (alloc_only)
		log_note(
			"what Go programs say of their own heaps was not pushed: it has what is in use, and --alloc-only "
			"leaves that out of all others; without it, it is");
	else
		log_note(
			"what Go programs say of their own heaps was not pushed: they sample at another interval than %s bytes; with "
			"Go's own, -R 512K, it is",
			units_digits(sample_bytes).text);
}

static void say_failures(const struct push_ledger *ledger)
{
	for (unsigned int i = 0; i < PUSH_FAILURE_COUNT; i++)
		if (ledger->failed[i])
			log_note("%s of %s attempts to send a request failed as %s: %s",
				 units_digits(ledger->failed[i]).text, units_digits(ledger->attempts).text,
				 push_failure_name(i), push_failure_text(i));
}

static int say_losses(const struct push_ledger *ledger)
{
	const struct push_amount dropped = push_ledger_dropped(ledger);

	log_note("pushed %s profiles in %s requests%s", units_digits(ledger->sent.profiles).text,
		 units_digits(ledger->sent.requests).text, ledger->waiting.requests ? "; more are in the spool" : "");
	say_failures(ledger);
	if (ledger->untold_processes)
		log_error("%s processes ended between two intervals and were too many to be kept; %s bytes that they "
			  "allocated were not sent: a shorter --every loses less",
			  units_digits(ledger->untold_processes).text, units_digits(ledger->untold_bytes).text);
	for (unsigned int i = 0; i < PUSH_CAUSE_COUNT; i++)
		if (ledger->dropped[i].requests || ledger->dropped[i].profiles)
			log_error("lost %s profiles (%s samples) as %s: %s",
				  units_digits(ledger->dropped[i].profiles).text,
				  units_digits(ledger->dropped[i].samples).text, push_cause_name(i),
				  push_cause_text(i));
	return dropped.requests || dropped.profiles || ledger->untold_processes ? STATUS_FAILED : STATUS_DONE;
}

int pushing_finish(struct pushing *pushing)
{
	struct push_ledger ledger;
	int status;

	delivery_finish(pushing->delivery, FINISH_MS);
	pushing_ledger(pushing, &ledger);
	if (pushing->failures > 1)
		log_note("%u intervals were put off for the next", pushing->failures);
	if (pushing->series.beyond)
		log_note("more than %d series: %s times a process went into the one whose service is 'other'",
			 SERIES_MAX, units_digits(pushing->series.beyond).text);
	if (pushing->go_left_out)
		pushing_say_go_left_out(pushing->sample_bytes, pushing->alloc_only);
	status = say_losses(&ledger);
	if (!pushing->put_off)
		return status;
	log_error("the last interval was not pushed, and none follows that has what was allocated in it");
	return STATUS_FAILED;
}

/* --- its life --- */

static int open_delivery(struct pushing *pushing)
{
	const struct push_options *options = pushing->options;
	const struct delivery_options delivery = {
		.url = pushing->destination.url,
		.credentials = &pushing->credentials,
		.ca_file = options->ca_file,
		.spool = options->spool,
		.spool_bytes = options->spool_bytes,
	};

	if (delivery_open(&delivery, &pushing->delivery))
		return STATUS_FAILED;
	pushing->batch.arg = pushing->delivery;
	log_note("pushing to %s", options->to);
	if (destination_is_open(&pushing->destination))
		log_note("what is sent to %s is not encrypted; https:// would be", pushing->destination.url);
	return STATUS_DONE;
}

static int open_parts(struct pushing *pushing)
{
	const struct push_options *options = pushing->options;
	int status = parse_destination(options, &pushing->destination);

	if (status)
		return status;
	if (gethostname(pushing->host, sizeof(pushing->host) - 1))
		pushing->host[0] = '\0';
	pushing->batch = (struct batch){.store = push_store_of(pushing->destination.store), .send = send_request};
	pushing->series = (struct push_series_table){.store = pushing->destination.store, .own = &options->labels};
	status = credentials_read(options->auth_file, options->tenant, options->header_file, &pushing->credentials);
	return status ? status : open_delivery(pushing);
}

int pushing_open(const struct push_options *options, struct pushing **ret_pushing)
{
	struct pushing *pushing = calloc(1, sizeof(*pushing));
	int status;

	if (!pushing) {
		log_error("out of memory");
		return STATUS_FAILED;
	}
	pushing->options = options;
	pthread_mutex_init(&pushing->lock, NULL);
	status = open_parts(pushing);
	if (status)
		pushing_close(pushing);
	else
		*ret_pushing = pushing;
	return status;
}

void pushing_close(struct pushing *pushing)
{
	if (!pushing)
		return;
	delivery_close(pushing->delivery);
	credentials_release(&pushing->credentials);
	pair_release(&pushing->pair);
	push_series_release(&pushing->series);
	destination_release(&pushing->destination);
	pthread_mutex_destroy(&pushing->lock);
	free(pushing);
}
