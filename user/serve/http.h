/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The HTTP server: libmicrohttpd with a thread for each connection, at the priority that heaptap was started with. It decides who may ask
 * (Host, token), how much they may send and how long they may take, and adds the headers; what is answered is service.h's.
 */
#include "serve/listener.h"
#include "serve/service.h"
#include "serve/token.h"

#define HTTP_CONNECTIONS_MAX 128
#define HTTP_HEADER_BYTES    32768  /* of a request's line and headers, and of what is read at a time */
#define HTTP_BODY_MAX	     262144 /* of a request for symbols */

struct http_options {
	const struct listener *listener;
	struct service *service;
	const struct token *token; /* NULL: none is asked for */
	u32 time_scale;		   /* see connections.h */
};

struct http;

/* 0 with the server, which answers from now on; or negative errno. */
int http_start(const struct http_options *options, struct http **ret_http);

/* Stop listening, end every connection and its request, and wait for their threads. */
void http_stop(struct http *http);
