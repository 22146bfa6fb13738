/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One request at a time over HTTP/1.1, by libcurl, in the thread that steps it. The connection is kept for the next one. TLS 1.2 or later,
 * with the certificate and its name checked. No redirect is followed, so no other host gets what this one was to get. What a server
 * sends is read to TRANSFER_ANSWER_MAX bytes of the body and as many of headers, and not unpacked. Proxies are those of the environment
 * (https_proxy, http_proxy, no_proxy), as curl(1) has them.
 *
 * The only file that calls libcurl is transfer.c, through curl_library.h, which must be loaded before all else here.
 */
#include <stdbool.h>

#include "push/credentials.h"
#include "push/reply.h"
#include "push/request.h"

#define TRANSFER_ANSWER_MAX (64 << 10)
#define TRANSFER_CONNECT_MS 10000 /* for a connection, TLS included; the time for all is the caller's */

struct transfer_options {
	const char *url;		       /* what stands before the requests' paths */
	const struct credentials *credentials; /* NULL: none; used until transfer_close */
	const char *ca_file;		       /* PEM; NULL: the system's certificates */
	u32 timeout_ms;			       /* from the beginning to the end of the answer */
};

struct transfer;

/* Is it http:// or https:// with a host, and without user, password, query and fragment? */
bool transfer_takes_url(const char *url);

/* 0 with *ret_transfer set; -ENOMEM; or -ENOTSUP: libcurl lacks something. */
int transfer_open(const struct transfer_options *options, struct transfer **ret_transfer);

/* Send it; it is used until transfer_step has returned true, or transfer_abandon. */
void transfer_begin(struct transfer *transfer, const struct push_request *request);

/* Go on without waiting. True: it is over, and *ret_reply says how. */
bool transfer_step(struct transfer *transfer, struct push_reply *ret_reply);

/* Until there is something to do, at most so long. By any thread: end that wait, or the next one. */
void transfer_wait(struct transfer *transfer, u64 ns);
void transfer_wake(struct transfer *transfer);

void transfer_abandon(struct transfer *transfer);
void transfer_close(struct transfer *transfer); /* NULL: nothing happens */
