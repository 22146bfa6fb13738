/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/queue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct push_amount queue_amount(const struct push_request *request)
{
	return (struct push_amount){1, request->profiles, request->samples};
}

/* With what it takes besides its body, so that very many small ones do not go beyond the bound. */
static u64 bytes_of(const struct push_request *request)
{
	return request->size + strlen(request->path) + sizeof(struct queue_item);
}

int queue_add(struct queue *queue, struct push_request *request)
{
	u64 bytes = bytes_of(request);
	struct push_amount amount = queue_amount(request);
	struct queue_item *item;

	if (queue->bytes + bytes > queue->bytes_max)
		return -ENOBUFS;
	item = malloc(sizeof(*item));
	if (!item)
		return -ENOMEM;
	*item = (struct queue_item){.request = *request};
	*request = (struct push_request){0};
	*(queue->last ? &queue->last->next : &queue->first) = item;
	queue->last = item;
	queue->bytes += bytes;
	push_amount_add(&queue->amount, &amount);
	return 0;
}

bool queue_take(struct queue *queue, struct push_request *ret_request)
{
	struct queue_item *item = queue->first;
	struct push_amount amount;

	if (!item)
		return false;
	*ret_request = item->request;
	queue->first = item->next;
	if (!queue->first)
		queue->last = NULL;
	free(item);
	queue->bytes -= bytes_of(ret_request);
	amount = queue_amount(ret_request);
	push_amount_subtract(&queue->amount, &amount);
	return true;
}

void queue_release(struct queue *queue)
{
	struct push_request request;

	while (queue_take(queue, &request))
		push_request_free(&request);
}
