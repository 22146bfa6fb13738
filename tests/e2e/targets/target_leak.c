/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Leaks 30 000 bytes, once, by the function named as its argument, beside blocks that it gives back; "none" leaks
 * nothing, "idle" allocates nothing at all until its input ends.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define LEAK_BYTES 30000

static void *volatile leaked;

static int leak_once(const char *way)
{
	void *addr = NULL;

	if (!strcmp(way, "malloc"))
		leaked = malloc(LEAK_BYTES);
	else if (!strcmp(way, "calloc"))
		leaked = calloc(30, LEAK_BYTES / 30);
	else if (!strcmp(way, "realloc"))
		leaked = realloc(malloc(10), LEAK_BYTES);
	else if (!strcmp(way, "reallocarray"))
		leaked = reallocarray(malloc(10), 3, LEAK_BYTES / 3);
	else if (!strcmp(way, "posix_memalign"))
		leaked = posix_memalign(&addr, 64, LEAK_BYTES) ? NULL : addr;
	else if (!strcmp(way, "valloc"))
		leaked = valloc(LEAK_BYTES);
	else if (!strcmp(way, "memalign"))
		leaked = memalign(64, LEAK_BYTES);
	else if (!strcmp(way, "pvalloc"))
		leaked = pvalloc(LEAK_BYTES);
	else if (!strcmp(way, "aligned_alloc"))
		leaked = aligned_alloc(64, LEAK_BYTES);
	else
		return !strcmp(way, "none") ? 0 : 2;
	return leaked ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "none";

	target_await();
	if (!strcmp(way, "idle")) {
		target_await();
		return 0;
	}
	for (int i = 0; i < 100; i++) {
		free(malloc(LEAK_BYTES));
		free(calloc(3, 1000));
		free(realloc(malloc(20), 2000));
		free(memalign(128, 3000));
	}
	return leak_once(way);
}
