/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libFuzzer target: any line as the request that a client sends: a method and a target, the Host and the Authorization header. What is
 * accepted must keep its promises.
 */
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "serve/request.h"
#include "serve/token.h"

/* Cut off the next line of `text`. */
static char *next_line(char **text)
{
	return *text ? strsep(text, "\n") : (char *)"";
}

static void check(const struct request *request, const struct request_refusal *refusal, const char *target)
{
	if (request->query > strlen(target) || strlen(request->container) > REQUEST_CONTAINER_MAX)
		abort();
	if (refusal->status) {
		if (refusal->status != 301 && (refusal->status < 400 || refusal->status > 499))
			abort();
		if (!refusal->sentence || (refusal->status == 301) != !!refusal->location)
			abort();
		return;
	}
	if (request->seconds > REQUEST_SECONDS_MAX || (request->pid && *request->container))
		abort();
	if (request->seconds && (request->debug || request->gc || !request_profile_name(request->what)))
		abort();
	for (const char *at = request->container; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct token token = {"0123456789abcdef"};
	char *copy = input_text(data, size), *rest = copy, *method, *target, *host, *authorization;
	struct request_refusal refusal;
	struct request request;

	method = next_line(&rest);
	target = next_line(&rest);
	host = next_line(&rest);
	authorization = next_line(&rest);
	refusal = request_parse(method, target, &request);
	check(&request, &refusal, target);
	if (request_host_is_local(host) && strpbrk(host, "/@ "))
		abort();
	if (token_is_shown(&token, authorization) && strlen(authorization) < strlen(token.text))
		abort();
	free(copy);
	return 0;
}
