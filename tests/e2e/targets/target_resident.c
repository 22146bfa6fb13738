/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thousand objects of a mebibyte, each a mapping of its own: 100 are written to, 50 get zeros, of 100 every fourth page is written to, 750
 * are left alone. And 20 000 small ones that are written to. It ends with its input.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "target.h"

#define MIB   (1 << 20)
#define PAGE  4096
#define SMALL 20000

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

static void repeat(void (*site)(void), int times)
{
	while (times--)
		site();
}

int main(void)
{
	char byte;

	/* Pages are touched one by one. */
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		return 98;
	target_await();
	repeat(written, 100);
	repeat(zeroed, 50);
	repeat(sparse, 100);
	repeat(untouched, 750);
	repeat(small, SMALL);
	byte = 'd';
	if (write(STDOUT_FILENO, &byte, 1) != 1)
		return 99;
	while (read(STDIN_FILENO, &byte, 1) == 1)
		;
	return 0;
}
