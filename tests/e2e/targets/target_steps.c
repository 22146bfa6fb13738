/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does one step for each byte that it reads, and answers when it is done: k keeps one more block of 1000 bytes, f frees the
 * newest, c churns through four mebibytes and keeps nothing, m maps its own code anew a hundred times. Ends with its input.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>

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

static void map(void)
{
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	for (int i = 0; i < 100; i++) {
		void *code = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, self, 0);

		if (code == MAP_FAILED || munmap(code, 1))
			_exit(98);
	}
	close(self);
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
		else if (step == 'm')
			map();
		if (write(STDOUT_FILENO, &step, 1) != 1)
			return 99;
	}
	return 0;
}
