/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The example of docs/lifetimes.md: a server whose requests leave nothing, something for a while, and something for good. */
#include <stdlib.h>
#include <unistd.h>

#define REQUESTS 100000
#define SESSIONS 256

static void *sessions[SESSIONS];
static void **notes;

/* Garbage: a buffer for each request, gone with it. */
__attribute__((noipa)) static void parse(void)
{
	free(malloc(65536));
}

/* A cache: every eighth request replaces the oldest of 256 sessions. */
__attribute__((noipa)) static void remember(unsigned int request)
{
	void **slot = &sessions[request / 8 % SESSIONS];

	free(*slot);
	*slot = malloc(65536);
}

/* A leak: a list that is never shortened. */
__attribute__((noipa)) static void note(void)
{
	void **entry = malloc(1000);

	*entry = notes;
	notes = entry;
}

int main(void)
{
	for (unsigned int request = 0; request < REQUESTS; request++) {
		parse();
		if (request % 8 == 0)
			remember(request);
		note();
		if (request % 10 == 0)
			usleep(1000);
	}
	return 0;
}
