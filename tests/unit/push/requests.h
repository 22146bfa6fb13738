/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Requests for tests, each with a body that tells its number, and a store's answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "push/reply.h"
#include "push/request.h"

/* A body of so many bytes, at least 16; it has two profiles and thirty samples. To be freed. */
static inline struct push_request request_make(unsigned int number, size_t size, int64_t taken_ns)
{
	struct push_request request = {
		.path = strdup("/push"),
		.content_type = "application/json",
		.gzip = number % 2,
		.body = calloc(1, size),
		.size = size,
		.profiles = 2,
		.samples = 30,
		.taken_ns = taken_ns,
	};

	if (!request.path || !request.body)
		abort();
	snprintf((char *)request.body, size, "body %u", number);
	return request;
}

static inline unsigned int request_number(const struct push_request *request)
{
	return (unsigned int)strtoul((const char *)request->body + strlen("body "), NULL, 10);
}

static inline struct push_reply reply_of(uint32_t status)
{
	return (struct push_reply){.status = status, .whole = true};
}
