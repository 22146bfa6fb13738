/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program that becomes itself again: target_succession LEFT STEP. Each time it keeps a block of each size up to 300
 * bytes, which with -R 1 is as many sites; every STEP times it stands ready and waits to be let go; it ends with LEFT 0.
 * target_succession 0 1 SIZES: once let go it makes a block of each size up to SIZES and frees it, and waits again.
 */
#include <stdio.h>
#include <stdlib.h>

#include "target.h"

#define SIZES 300

static void *volatile kept[SIZES];

int main(int argc, char **argv)
{
	int left = argc > 2 ? atoi(argv[1]) : 0, step = argc > 2 ? atoi(argv[2]) : 1;
	char number[16];

	if (left % step == 0)
		target_await();
	for (int i = 0; i < SIZES; i++)
		kept[i] = malloc((size_t)i + 1);
	for (int size = 1; argc > 3 && size <= atoi(argv[3]); size++)
		free(kept[size % SIZES] = malloc((size_t)size));
	if (argc > 3)
		target_await();
	if (!left)
		return 0;
	snprintf(number, sizeof(number), "%d", left - 1);
	execv(argv[0], (char *const[]){argv[0], number, argv[2], NULL});
	return 1;
}
