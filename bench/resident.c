/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What --resident takes: a child with COUNT objects (default 100 000) of 1 KiB and 64 KiB, all written to, is looked into. Prints the
 * CPU seconds of that, and the longest that a loop in the child was away meanwhile and in an equal time before, in milliseconds.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "system/residency.h"

#define READS 32768 /* as heaptap reads at most */

struct shared {
	volatile int ready, watch;
	volatile u64 away_ns; /* the longest in this watch */
};

static u64 size_of(u32 i)
{
	return i % 64 ? 1 << 10 : 64 << 10;
}

/* Allocates, then does nothing but look at the clock. */
static void be_watched(struct shared *shared, char **objects, u32 count)
{
	int watch = 0;
	u64 last;

	for (u32 i = 0; i < count; i++) {
		objects[i] = malloc(size_of(i));
		if (!objects[i])
			_exit(1);
		memset(objects[i], 1, size_of(i));
	}
	shared->ready = 1;
	last = clock_now_ns();
	for (;;) {
		u64 now = clock_now_ns();

		if (watch != shared->watch) {
			watch = shared->watch;
			shared->away_ns = 0;
		} else if (now - last > shared->away_ns) {
			shared->away_ns = now - last;
		}
		last = now;
	}
}

static u64 cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static int measure(pid_t child, struct shared *shared, char *const *addresses, u32 count)
{
	struct residency *objects = calloc(count, sizeof(*objects));
	u64 cpu, wall, looked, before;
	int err;

	if (!objects)
		return 1;
	for (u32 i = 0; i < count; i++)
		objects[i] = (struct residency){.addr = (uintptr_t)addresses[i], .size = size_of(i)};
	shared->watch = 1;
	cpu = cpu_ns();
	wall = clock_now_ns();
	err = residency_read(child, objects, count, READS);
	cpu = cpu_ns() - cpu;
	wall = clock_now_ns() - wall;
	looked = shared->away_ns;
	shared->watch = 2;
	usleep((useconds_t)(wall / 1000));
	before = shared->away_ns;
	printf("%.3f %.3f %.3f\n", (double)cpu / 1e9, (double)looked / 1e6, (double)before / 1e6);
	free(objects);
	return err != 0;
}

int main(int argc, char **argv)
{
	u32 count = argc > 1 ? (u32)strtoul(argv[1], NULL, 10) : 100000;
	size_t bytes = sizeof(struct shared) + count * sizeof(char *);
	struct shared *shared = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char **objects = (char **)(shared + 1);
	pid_t child;
	int status;

	if (shared == MAP_FAILED)
		return 1;
	child = fork();
	if (!child)
		be_watched(shared, objects, count);
	while (!shared->ready && child > 0)
		usleep(1000);
	status = child < 0 || measure(child, shared, objects, count);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return status;
}
