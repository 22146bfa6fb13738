/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three sites of known lifetimes: blocks of 4096 bytes that die at once, of 8192 that live until 256 more of them have
 * been made, and, called with "leak", of 1000 that are never freed. Exits with the status given as the second argument.
 */
#include <stdlib.h>
#include <string.h>

#define ROUNDS	 100000
#define CACHED	 256
#define LEAK_OF	 4 /* a round in so many leaks */
#define CACHE_OF 20

static void *cached[CACHED];
static void *volatile leaked;

__attribute__((noinline)) static void transient(void)
{
	void *volatile block = malloc(4096);

	free(block);
}

__attribute__((noinline)) static void cache(unsigned int at)
{
	free(cached[at % CACHED]);
	cached[at % CACHED] = malloc(8192);
}

__attribute__((noinline)) static void leak(void)
{
	leaked = malloc(1000);
}

int main(int argc, char **argv)
{
	int leaks = argc > 1 && !strcmp(argv[1], "leak");

	for (unsigned int i = 0; i < ROUNDS; i++) {
		transient();
		if (i % CACHE_OF == 0)
			cache(i / CACHE_OF);
		if (leaks && i % LEAK_OF == 0)
			leak();
	}
	return argc > 2 ? atoi(argv[2]) : 0;
}
