/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What is said to a request: a status, a body, and headers that follow from the kind of the answer. */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#define ANSWER_TEXT "text/plain; charset=utf-8"
#define ANSWER_HTML "text/html; charset=utf-8"

/* Texts but the body are static. Several requests may share one. */
struct answer {
	unsigned int status;
	const char *type; /* Content-Type */
	char *body;
	size_t size;
	const char *attachment;	      /* the file name that is proposed; NULL: to be shown */
	const char *location, *allow; /* headers; NULL: none */
	bool go_error;		      /* X-Go-Pprof: Go's client shows the body */
	bool own_policy;	      /* the body of a page says what it may load */
	atomic_uint users;
	FILE *out; /* while it is being written */
};

/* By its one user. Write the body to answer->out. NULL: no memory. */
struct answer *answer_open(unsigned int status, const char *type);

/* The body is complete, if `err` is 0; otherwise the answer is gone, and NULL or one that says so is returned. */
struct answer *answer_close(struct answer *answer, int err);

/* One sentence as text. */
struct answer *answer_sentence(unsigned int status, const char *sentence);

struct answer *answer_share(struct answer *answer);
void answer_release(struct answer *answer); /* by each user; NULL: nothing happens */

/* How many bytes all answers have that are not released yet. */
size_t answer_bytes(void);

/* Text for HTML: cleaned as for one line, with what could be markup escaped. */
void answer_print_html(const char *text, FILE *out);
