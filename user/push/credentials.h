/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What shows a store who sends: headers of requests, from files that none but their owner may read. What is secret of them is in no
 * message, on no command line, and in no file that heaptap writes.
 */
#include <stdbool.h>
#include <stddef.h>

#define CREDENTIALS_LINE_MAX	8192	  /* characters of a line */
#define CREDENTIALS_FILE_MAX	(1 << 16) /* bytes of a file of headers */
#define CREDENTIALS_HEADERS_MAX 32
#define CREDENTIALS_TENANT_MAX	150 /* as Pyroscope has it */

struct credentials {
	char *headers[CREDENTIALS_HEADERS_MAX]; /* "Name: value" */
	size_t header_count;
	char *secrets[CREDENTIALS_HEADERS_MAX + 2]; /* what no message may hold */
	size_t secret_count;
};

/*
 * `auth_file`: its first line is USER:PASSWORD, sent as Basic, or without a colon a token, sent as Bearer. `tenant`: the value of
 * X-Scope-OrgID. `header_file`: lines "NAME: VALUE"; those that are empty or begin with '#' say nothing. Each may be NULL. 0 with
 * *ret_credentials set, to be released; or STATUS_USAGE (what stands there cannot be sent) or STATUS_FAILED (it cannot be read), and a
 * sentence has been said.
 */
int credentials_read(const char *auth_file, const char *tenant, const char *header_file,
		     struct credentials *ret_credentials);

/* Does the text hold one of the secrets? A server may send back what it was sent. */
bool credentials_are_in(const struct credentials *credentials, const char *text);

/* Overwrite and free. */
void credentials_release(struct credentials *credentials);
