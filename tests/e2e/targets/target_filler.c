/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does one step for each byte that it reads, and answers when it is done: m keeps one mebibyte more, which it writes to, c churns
 * through one. Others have no answer: g takes one mebibyte after the other until it is killed, a aborts, s reads from nowhere.
 * Ends with its input.
 */
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define MIB	 (1 << 20)
#define KEPT_MAX 4096

static char *kept[KEPT_MAX];
static unsigned int count;

__attribute__((noipa)) static char *remember(void)
{
	char *block = malloc(MIB);

	if (!block)
		_exit(97);
	memset(block, 1, MIB);
	return block;
}

__attribute__((noipa)) static char *request(size_t size)
{
	char *volatile block = malloc(size);

	return block;
}

static void churn(void)
{
	for (int i = 0; i < 1024; i++)
		free(request(1024));
}

static void keep(void)
{
	if (count < KEPT_MAX)
		kept[count++] = remember();
}

static void step(char wanted)
{
	switch (wanted) {
	case 'm':
		keep();
		break;
	case 'c':
		churn();
		break;
	case 'g':
		while (count < KEPT_MAX)
			keep();
		break;
	case 'a':
		abort();
	case 's':
		_exit(*(char *volatile)NULL);
	}
}

int main(void)
{
	char wanted;

	target_await();
	while (read(STDIN_FILENO, &wanted, 1) == 1) {
		step(wanted);
		if (write(STDOUT_FILENO, &wanted, 1) != 1)
			return 99;
	}
	return 0;
}
