/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sites DEPTH LIVE BYTES: allocates LIVE blocks of BYTES bytes through 2^DEPTH stacks, all of the same length, and prints "full"; then allocates and frees
 * a byte for ever, at most 500 000 times a second. A line on its input: it answers with the number of those pairs so far.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"

#define PAIRS_SECOND 500000
#define BATCH	     500

static unsigned int depth;
static size_t bytes;
static void **blocks;
static unsigned long block_count;

#define FUNCTION __attribute__((noinline, noclone)) static void

FUNCTION left(unsigned long path, unsigned int level);
FUNCTION right(unsigned long path, unsigned int level);

/* A bit of the path for each frame. */
#define STEP                                                                                                           \
	if (level == depth)                                                                                            \
		blocks[block_count++] = malloc(bytes);                                                                 \
	else if (path & 1)                                                                                             \
		right(path >> 1, level + 1);                                                                           \
	else                                                                                                           \
		left(path >> 1, level + 1);                                                                            \
	__asm__ volatile("" ::: "memory") /* so that no call is the function's last */

FUNCTION left(unsigned long path, unsigned int level)
{
	STEP;
}

FUNCTION right(unsigned long path, unsigned int level)
{
	STEP;
}

static void pairs(unsigned int count)
{
	while (count--) {
		void *volatile block = malloc(1);

		free(block);
	}
}

static void go_on(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	u64 begun = clock_now_ns();
	unsigned long done = 0;
	char line[16];

	for (;;) {
		u64 due = begun + done * (1000000000 / PAIRS_SECOND), now = clock_now_ns();
		struct timespec wait = {0, due > now ? (long)(due - now) : 0};

		if (wait.tv_nsec)
			nanosleep(&wait, NULL);
		pairs(BATCH);
		done += BATCH;
		if (poll(&input, 1, 0) < 1)
			continue;
		if (read(STDIN_FILENO, line, sizeof(line)) < 1)
			return;
		printf("%lu\n", done);
	}
}

int main(int argc, char **argv)
{
	unsigned long live = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;

	if (!live)
		return 2;
	depth = (unsigned int)strtoul(argv[1], NULL, 10);
	bytes = strtoul(argv[3], NULL, 10);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (getchar() == EOF)
		return 1;
	blocks = calloc(live, sizeof(*blocks));
	for (unsigned long i = 0; i < live; i++)
		left(i, 0);
	puts("full");
	go_on();
	return 0;
}
