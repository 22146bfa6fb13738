/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "serve/answer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/stream.h"
#include "base/text.h"

static atomic_size_t bytes_held;

struct answer *answer_open(unsigned int status, const char *type)
{
	struct answer *answer = calloc(1, sizeof(*answer));

	if (!answer)
		return NULL;
	answer->status = status;
	answer->type = type;
	answer->users = 1;
	answer->out = open_memstream(&answer->body, &answer->size);
	if (answer->out)
		return answer;
	free(answer);
	return NULL;
}

struct answer *answer_close(struct answer *answer, int err)
{
	int flushed = stream_flush(answer->out);

	fclose(answer->out);
	answer->out = NULL;
	atomic_fetch_add(&bytes_held, answer->size);
	if (!err && !flushed)
		return answer;
	answer_release(answer);
	return answer_sentence(500, "out of memory");
}

struct answer *answer_sentence(unsigned int status, const char *sentence)
{
	struct answer *answer = answer_open(status, ANSWER_TEXT);

	if (!answer)
		return NULL;
	fprintf(answer->out, "%s\n", sentence);
	fflush(answer->out);
	if (ferror(answer->out)) {
		fclose(answer->out);
		free(answer->body);
		free(answer);
		return NULL;
	}
	return answer_close(answer, 0);
}

struct answer *answer_share(struct answer *answer)
{
	if (answer)
		atomic_fetch_add(&answer->users, 1);
	return answer;
}

void answer_release(struct answer *answer)
{
	if (!answer || atomic_fetch_sub(&answer->users, 1) > 1)
		return;
	atomic_fetch_sub(&bytes_held, answer->size);
	free(answer->body);
	free(answer);
}

size_t answer_bytes(void)
{
	return atomic_load(&bytes_held);
}

static const char *entity(char character)
{
	switch (character) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void answer_print_html(const char *text, FILE *out)
{
	char *clean = text_clean(text);

	for (const char *at = clean; at && *at; at++) {
		const char *escaped = entity(*at);

		if (escaped)
			fputs(escaped, out);
		else
			fputc(*at, out);
	}
	free(clean);
}
