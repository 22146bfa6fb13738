/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* `heaptap serve` as its clients see it: curl, and bare sockets for what curl would not send. Functions fail the running test themselves. */
#include "session.h"

/* Start `heaptap ARGS...` with the scene's first session, and wait until it serves on a port of 127.0.0.1. Returns http://127.0.0.1:PORT, valid until
 * the next call. */
const char *http_serve(struct scene *scene, const char *const *args);

/* What curl got, until http_release. */
struct http_response {
	unsigned int status;
	char *head, *body; /* NUL-terminated */
	size_t size;	   /* of the body */
};

/* `arguments` for the shell: a URL, and options. */
void http_fetch(const struct scene *scene, const char *arguments, struct http_response *ret_response);
void http_release(struct http_response *response);

/* The status alone. */
unsigned int http_status(const struct scene *scene, const char *arguments);

/* Until what the URL gives contains these words. */
void http_await(const struct scene *scene, const char *arguments, const char *words);

/* A connection to the URL's server. */
int http_connect(const char *url);

/* Send these bytes and say that no more will come; the status of the answer, 0: it ended the connection without one. */
unsigned int http_send(const char *url, const char *bytes, size_t size);
