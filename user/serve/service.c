/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/service.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "serve/discovery.h"
#include "live/page_views.h"
#include "serve/index_page.h"
#include "serve/metrics.h"
#include "serve/pprof.h"
#include "serve/turn.h"

#define LOOK_MS 100 /* between two looks whether an answer is still wanted */

/* What makes two questions one. */
struct key {
	struct request request;
	char address[256];
	bool open_metrics;
};

/* An answer that several wait for. */
struct job {
	struct key key;
	struct answer *answer;
	u32 users;
	bool begun, done;
	struct job *next;
};

struct service {
	struct source *source;
	struct pushing *pushing;
	struct pprof_bases *bases;
	struct turn turn;     /* of the one that makes an answer */
	pthread_mutex_t lock; /* of the jobs */
	pthread_cond_t done;
	struct job *jobs;
	u64 samples; /* of waiting differences; by turn */
	atomic_bool stopping;
};

struct service *service_new(struct source *source, struct pushing *pushing)
{
	struct service *service = calloc(1, sizeof(*service));

	if (!service)
		return NULL;
	service->source = source;
	service->pushing = pushing;
	service->bases = pprof_bases_new();
	turn_init(&service->turn);
	pthread_mutex_init(&service->lock, NULL);
	pthread_cond_init(&service->done, NULL);
	if (service->bases)
		return service;
	service_free(service);
	return NULL;
}

void service_free(struct service *service)
{
	if (!service)
		return;
	pprof_bases_free(service->bases);
	pthread_cond_destroy(&service->done);
	pthread_mutex_destroy(&service->lock);
	turn_destroy(&service->turn);
	free(service);
}

void service_stop(struct service *service)
{
	atomic_store(&service->stopping, true);
}

/* False, without the turn: nothing is to be made any more. */
static bool take_turn(struct service *service)
{
	turn_take(&service->turn);
	if (!atomic_load(&service->stopping))
		return true;
	turn_give(&service->turn);
	return false;
}

static void end_turn(struct service *service)
{
	turn_give(&service->turn);
}

/* --- making one --- */

struct answer *service_refuse(const struct request *request, const struct request_refusal *refusal)
{
	struct answer *answer = answer_sentence(refusal->status, refusal->sentence);

	if (!answer)
		return NULL;
	answer->go_error = request->go;
	answer->location = refusal->location;
	answer->allow = refusal->allow;
	return answer;
}

static struct answer *make_metrics(struct service *service, const struct source_listing *listing,
				   const struct service_question *question)
{
	const struct request *request = &question->request;
	struct metrics_scope scope = {request->pid, *request->container ? request->container : NULL};
	struct answer *answer = answer_open(200, question->open_metrics ? METRICS_TYPE_OPEN : METRICS_TYPE_TEXT);
	struct push_ledger ledger;
	int err;

	if (!answer)
		return NULL;
	if (service->pushing)
		pushing_ledger(service->pushing, &ledger);
	err = metrics_write(listing, &scope, service->pushing ? &ledger : NULL, question->open_metrics, answer->out);
	if (err != -ENOENT)
		return answer_close(answer, err);
	answer_release(answer_close(answer, 0));
	return pprof_explain(request, err);
}

static struct answer *make_discovery(const struct source_listing *listing, const struct service_question *question)
{
	struct answer *answer = answer_open(200, "application/json");

	return answer ? answer_close(answer, discovery_write(listing, question->address, answer->out)) : NULL;
}

static struct answer *make_listed(struct service *service, const struct service_question *question)
{
	struct source_listing listing;
	int err = source_list(service->source, false, &listing);
	struct answer *answer;

	if (err)
		answer = pprof_explain(&question->request, err);
	else if (question->request.what == REQUEST_METRICS)
		answer = make_metrics(service, &listing, question);
	else if (question->request.what == REQUEST_DISCOVERY)
		answer = make_discovery(&listing, question);
	else
		answer = index_page_answer(&listing);
	source_listing_release(&listing);
	return answer;
}

static struct answer *make_page(struct service *service, const struct request *request)
{
	const struct source_want want = {
		.pid = request->pid, .container = *request->container ? request->container : NULL, .gc = true};
	const struct page_views_options options = {.title = "all processes", .want = &want};
	struct answer *answer = answer_open(200, ANSWER_HTML);
	int err;

	if (!answer)
		return NULL;
	answer->own_policy = true;
	err = page_views_write(service->source, &options, answer->out);
	if (!err)
		return answer_close(answer, 0);
	answer_release(answer_close(answer, 0));
	return pprof_explain(request, err);
}

static struct answer *make(struct service *service, const struct service_question *question)
{
	const struct request *request = &question->request;

	switch (request->what) {
	case REQUEST_INDEX:
	case REQUEST_METRICS:
	case REQUEST_DISCOVERY:
		return make_listed(service, question);
	case REQUEST_PAGE:
		return make_page(service, request);
	case REQUEST_PPROF:
		return pprof_index(service->source, request);
	case REQUEST_SYMBOL:
		return pprof_symbols(service->source, request, question->addresses);
	default:
		return pprof_answer(service->source, request, service->bases, NULL);
	}
}

/* --- in turn, and for several --- */

/* Would one answer do for both? */
static bool are_one(const struct key *a, const struct key *b)
{
	return a->request.what == b->request.what && a->request.pid == b->request.pid &&
	       !strcmp(a->request.container, b->request.container) && a->request.gc == b->request.gc &&
	       a->request.debug == b->request.debug && a->open_metrics == b->open_metrics &&
	       !strcmp(a->address, b->address);
}

/* A job with that key that has not begun, so that its answer is as new as if it were made for the caller; or a new one. */
static struct job *join(struct service *service, const struct key *key, bool *ret_own)
{
	struct job *job = service->jobs;

	while (job && (job->begun || !are_one(&job->key, key)))
		job = job->next;
	*ret_own = !job;
	if (!job) {
		job = calloc(1, sizeof(*job));
		if (!job)
			return NULL;
		job->key = *key;
		job->next = service->jobs;
		service->jobs = job;
	}
	job->users++;
	return job;
}

static void leave(struct service *service, struct job *job)
{
	struct job **at = &service->jobs;

	if (--job->users)
		return;
	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	answer_release(job->answer);
	free(job);
}

static struct answer *begin_job(struct service *service, struct job *job, const struct service_question *question)
{
	pthread_mutex_lock(&service->lock);
	job->begun = true;
	pthread_mutex_unlock(&service->lock);
	return make(service, question);
}

static void do_job(struct service *service, struct job *job, const struct service_question *question)
{
	struct answer *answer;

	if (take_turn(service)) {
		answer = begin_job(service, job, question);
		end_turn(service);
	} else {
		answer = pprof_explain(&question->request, -ESHUTDOWN);
	}
	pthread_mutex_lock(&service->lock);
	job->answer = answer;
	job->done = true;
	pthread_cond_broadcast(&service->done);
	pthread_mutex_unlock(&service->lock);
}

static struct answer *answer_shared(struct service *service, const struct service_question *question)
{
	struct answer *answer = NULL;
	struct job *job;
	struct key key;
	bool own;

	key = (struct key){.request = question->request, .open_metrics = question->open_metrics};
	if (question->request.what == REQUEST_DISCOVERY)
		snprintf(key.address, sizeof(key.address), "%s", question->address);
	pthread_mutex_lock(&service->lock);
	job = join(service, &key, &own);
	pthread_mutex_unlock(&service->lock);
	if (job && own)
		do_job(service, job, question);
	pthread_mutex_lock(&service->lock);
	while (job && !job->done)
		pthread_cond_wait(&service->done, &service->lock);
	if (job) {
		answer = answer_share(job->answer);
		leave(service, job);
	}
	pthread_mutex_unlock(&service->lock);
	return answer;
}

static struct answer *answer_in_turn(struct service *service, const struct service_question *question)
{
	struct answer *answer;

	if (!take_turn(service))
		return pprof_explain(&question->request, -ESHUTDOWN);
	answer = make(service, question);
	end_turn(service);
	return answer;
}

/* --- differences --- */

static int begin_difference(struct service *service, const struct request *request, struct profile **ret_base)
{
	int err;

	if (!take_turn(service))
		return -ESHUTDOWN;
	err = pprof_take_base(service->source, request, ret_base);
	if (!err && service->samples && service->samples + (*ret_base)->sample_count > SERVICE_SAMPLES_MAX) {
		profile_free(*ret_base);
		err = -EBUSY;
	}
	if (!err)
		service->samples += (*ret_base)->sample_count;
	end_turn(service);
	return err;
}

/* False: it is over before. */
static bool wait_seconds(const struct service *service, const struct service_question *question)
{
	u64 end = clock_now_ns() + question->request.seconds * 1000000000ULL;

	for (u64 now = clock_now_ns(); now < end; now = clock_now_ns()) {
		u64 left_ms = (end - now) / 1000000 + 1;

		if (atomic_load(&service->stopping) || question->is_over(question->arg))
			return false;
		poll(NULL, 0, left_ms < LOOK_MS ? (int)left_ms : LOOK_MS);
	}
	return true;
}

static struct answer *answer_difference(struct service *service, const struct service_question *question)
{
	struct answer *answer = NULL;
	struct profile *base;
	int err = begin_difference(service, &question->request, &base);
	bool wanted;

	if (err)
		return pprof_explain(&question->request, err);
	wanted = wait_seconds(service, question);
	turn_take(&service->turn);
	if (wanted && !atomic_load(&service->stopping))
		answer = pprof_answer(service->source, &question->request, service->bases, base);
	service->samples -= base->sample_count;
	end_turn(service);
	profile_free(base);
	return answer;
}

/* --- all --- */

struct answer *service_answer(struct service *service, const struct service_question *question)
{
	const struct request *request = &question->request;

	switch (request->what) {
	case REQUEST_HEALTH:
		return answer_sentence(200, "ok");
	case REQUEST_STYLE:
		return index_page_style();
	case REQUEST_CMDLINE:
		return pprof_command_line();
	default:
		break;
	}
	if (answer_bytes() > SERVICE_BYTES_MAX)
		return pprof_explain(request, -EBUSY);
	if (request->seconds)
		return answer_difference(service, question);
	if (request->what == REQUEST_SYMBOL || request->what == REQUEST_DELTA_HEAP)
		return answer_in_turn(service, question);
	return answer_shared(service, question);
}
