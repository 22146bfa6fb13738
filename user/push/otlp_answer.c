/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/otlp_answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "otlp.pb-c.h"

int otlp_answer_read(const void *body, size_t size, struct otlp_answer *ret_answer)
{
	Otlp__Response *response = otlp__response__unpack(NULL, size, body);
	const Otlp__PartialSuccess *partial = response ? response->partial_success : NULL;
	struct otlp_answer answer = {0};

	if (!response)
		return -EBADMSG;
	if (partial) {
		answer.rejected = partial->rejected_profiles > 0 ? (u64)partial->rejected_profiles : 0;
		answer.message = *partial->error_message ? strdup(partial->error_message) : NULL;
	}
	otlp__response__free_unpacked(response, NULL);
	*ret_answer = answer;
	return 0;
}

void otlp_answer_release(struct otlp_answer *answer)
{
	free(answer->message);
	*answer = (struct otlp_answer){0};
}

bool otlp_answer_is_type(const char *type)
{
	static const char protobuf[] = "application/x-protobuf";
	size_t length = type ? strcspn(type, "; \t") : 0;

	return length == strlen(protobuf) && !strncasecmp(type, protobuf, length);
}
