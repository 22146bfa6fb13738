/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `make demo` records, the example of README and docs/lifetimes.md: a server whose requests leave nothing, something for a
 * while, and something for good.
 */
#include <stdlib.h>
#include <unistd.h>

#define REQUESTS 100000
#define SESSIONS 256

static void *sessions[SESSIONS];
static void **visits;
static volatile unsigned int served;

/* Garbage: a buffer for each request, gone with it. */
__attribute__((noipa)) static void parse_request(void)
{
	free(malloc(65536));
}

/* A cache: every eighth request replaces the oldest of 256 sessions. */
__attribute__((noipa)) static void cache_session(unsigned int request)
{
	void **slot = &sessions[request / 8 % SESSIONS];

	free(*slot);
	*slot = malloc(65536);
}

/* A leak: a list that is never shortened. */
__attribute__((noipa)) static void remember_visit(void)
{
	void **visit = malloc(1000);

	*visit = visits;
	visits = visit;
}

__attribute__((noipa)) static void serve(unsigned int request)
{
	parse_request();
	if (request % 8 == 0)
		cache_session(request);
	remember_visit();
	served = request; /* something to come back for, or the call above would be a jump */
}

int main(void)
{
	for (unsigned int request = 0; request < REQUESTS; request++) {
		serve(request);
		if (request % 10 == 0)
			usleep(1000);
	}
	return 0;
}
