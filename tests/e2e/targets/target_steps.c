/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does one step for each byte that it reads, and answers when it is done: k keeps one more block of 1000 bytes, f frees the
 * newest, c churns through four mebibytes and keeps nothing. Ends with its input.
 */
#include <stdlib.h>

#include "target.h"

#define KEPT_MAX 1000

static void *kept[KEPT_MAX];
static unsigned int count;

static void keep(void)
{
	if (count < KEPT_MAX)
		kept[count++] = malloc(1000);
}

static void drop(void)
{
	if (count)
		free(kept[--count]);
}

static void churn(void)
{
	for (int i = 0; i < 4096; i++)
		free(malloc(1024));
}

int main(void)
{
	char step;

	target_await();
	while (read(STDIN_FILENO, &step, 1) == 1) {
		if (step == 'k')
			keep();
		else if (step == 'f')
			drop();
		else if (step == 'c')
			churn();
		if (write(STDOUT_FILENO, &step, 1) != 1)
			return 99;
	}
	return 0;
}
