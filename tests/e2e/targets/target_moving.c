/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A static program with a function named as that by which node moves its code to huge pages. It is not called. */
#include <stdlib.h>

#include "target.h"

void MoveTextRegionToLargePages(void);

__attribute__((noinline)) void MoveTextRegionToLargePages(void)
{
	abort();
}

int main(int argc, char **argv)
{
	void *volatile object = malloc(100);

	(void)argv;
	(void)object;
	if (argc > 1)
		MoveTextRegionToLargePages();
	return 0;
}
