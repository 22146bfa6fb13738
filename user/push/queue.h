/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Requests in memory, in the order in which they came, up to a number of bytes. */
#include "push/ledger.h"
#include "push/request.h"

struct queue_item {
	struct push_request request;
	struct queue_item *next;
};

struct queue {
	struct queue_item *first, *last;
	u64 bytes, bytes_max;
	struct push_amount amount; /* of all that is in it */
};

/* What a loss of the request is. */
struct push_amount queue_amount(const struct push_request *request);

/* Take it over. 0; -ENOBUFS: no room; or -ENOMEM: then it remains the caller's. */
int queue_add(struct queue *queue, struct push_request *request);

/* The first one becomes the caller's; false: there is none. */
bool queue_take(struct queue *queue, struct push_request *ret_request);

void queue_release(struct queue *queue);
