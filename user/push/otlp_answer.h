/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What an OpenTelemetry collector answers when it takes a request: also that it has not taken all of it, which is its partial success. */
#include <stdbool.h>
#include <stddef.h>

#include "include/types.h"

struct otlp_answer {
	u64 rejected;  /* so many of the profiles */
	char *message; /* why, or with 0 rejected a warning; NULL: nothing is said */
};

/* Read the body of an answer 200. 0 with *ret_answer set, to be released; -EBADMSG: it is no such message. */
int otlp_answer_read(const void *body, size_t size, struct otlp_answer *ret_answer);
void otlp_answer_release(struct otlp_answer *answer);

/* Is that the Content-Type of one? NULL: no. */
bool otlp_answer_is_type(const char *type);
