/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thousand objects of a mebibyte, each a mapping of its own: 100 are written to, 50 get zeros, of 100 every fourth page is written to, 750
 * are left alone. And 20 000 small ones that are written to. With an argument: 60 more, of which a quarter of the pages goes to swap. It ends
 * with its input.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "target.h"

#define MIB   (1 << 20)
#define PAGE  4096
#define SMALL 20000
#define OUT   64 /* pages */
#define TRIES 100000

#define PAGEMAP_SWAPPED (1ULL << 62)

static void *volatile kept;

#define SITE __attribute__((noipa)) static void

SITE written(void)
{
	memset(kept = malloc(MIB), 1, MIB);
}

SITE zeroed(void)
{
	memset(kept = malloc(MIB), 0, MIB);
}

SITE sparse(void)
{
	char *block = kept = malloc(MIB);

	for (int i = 0; i < MIB; i += 4 * PAGE)
		block[i] = 1;
}

SITE untouched(void)
{
	kept = malloc(MIB);
}

SITE small(void)
{
	memset(kept = malloc(1000), 1, 1000);
}

static int is_swapped(const char *pages)
{
	static int pagemap = -1;
	uint64_t entries[OUT];

	if (pagemap < 0)
		pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (pread(pagemap, entries, sizeof(entries), (off_t)((uintptr_t)pages / PAGE * sizeof(*entries))) !=
	    sizeof(entries))
		_exit(96);
	for (int i = 0; i < OUT; i++)
		if (!(entries[i] & PAGEMAP_SWAPPED))
			return 0;
	return 1;
}

/* The kernel passes over a page that it has in hand just then: it is asked again. */
SITE swapped(void)
{
	char *block = kept = malloc(MIB), *pages = block + MIB / 2 - (uintptr_t)block % PAGE;

	memset(block, 1, MIB);
	for (unsigned int tries = 0; !is_swapped(pages); tries++)
		if (tries == TRIES || madvise(pages, (size_t)OUT * PAGE, MADV_PAGEOUT))
			_exit(97);
}

/* Pages that are new wait on the processor that has made them, and the kernel looks for them on the one that asks. */
static void stay_on_this_processor(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET(sched_getcpu(), &here);
	if (sched_setaffinity(0, sizeof(here), &here))
		_exit(95);
}

static void repeat(void (*site)(void), int times)
{
	while (times--)
		site();
}

int main(int argc, char **argv)
{
	char byte;

	(void)argv;
	/* Pages are touched one by one. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		return 98;
	target_await();
	repeat(written, 100);
	repeat(zeroed, 50);
	repeat(sparse, 100);
	repeat(untouched, 750);
	repeat(small, SMALL);
	if (argc > 1) {
		stay_on_this_processor();
		repeat(swapped, 60);
	}
	byte = 'd';
	if (write(STDOUT_FILENO, &byte, 1) != 1)
		return 99;
	while (read(STDIN_FILENO, &byte, 1) == 1)
		;
	return 0;
}
