/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * From a request to its answer, however many ask: one answer is made at a time, so that what clients cost is one processor and one
 * profile's memory at most; those who ask for the same meanwhile get the same answer. Any thread may call.
 */
#include "live/source.h"
#include "push/pushing.h"
#include "serve/answer.h"
#include "serve/request.h"

#define SERVICE_BYTES_MAX   (256u << 20) /* of answers that are being sent; more requests get 503 */
#define SERVICE_SAMPLES_MAX (1u << 22)	 /* of the beginnings of differences that wait for their end; the same */

struct service;

struct service_question {
	struct request request;
	const char *addresses; /* of a symbol request */
	const char *address;   /* host and port under which the client reaches the server */
	bool open_metrics;
	/* Asked now and then during a difference's time. True: the answer is not wanted any more. */
	bool (*is_over)(void *arg);
	void *arg;
};

/* `pushing`: whose ledger is in the metrics; NULL: nothing is pushed. Both outlive the service. NULL: no memory. */
struct service *service_new(struct source *source, struct pushing *pushing);
void service_free(struct service *service); /* no thread may be in a call */

/* From now on nothing is made any more: who waits for an answer gets 503, but for the one that is being made. By any thread. */
void service_stop(struct service *service);

/* To be released. NULL: no memory even for an error, or it is over. */
struct answer *service_answer(struct service *service, const struct service_question *question);

/* What is said to a request that was refused. NULL: no memory. */
struct answer *service_refuse(const struct request *request, const struct request_refusal *refusal);
