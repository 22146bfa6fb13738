/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thousand forked children of one parent, each of which asks for one block: what a sampler that was copied with its state
 * would take in all of them or in none. The parent has begun to allocate before. Run by test_inline.
 */
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

#define CHILDREN   1000
#define BLOCK	   400
#define WARM_TURNS 100

static void *volatile sink;

static void bear(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_NAME, "litter_child");
		sink = malloc(BLOCK);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

int main(void)
{
	for (int i = 0; i < WARM_TURNS; i++)
		free(sink = malloc(BLOCK));
	for (int i = 0; i < CHILDREN; i++)
		bear();
	return 0;
}
