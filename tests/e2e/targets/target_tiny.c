/* SPDX-License-Identifier: GPL-2.0-or-later */
/* As many objects of 4 bytes as its argument says, at most 2^20, all alive at the end. */
#include <stdlib.h>

#include "target.h"

#define OBJECTS_MAX (1 << 20)

static void *volatile kept[OBJECTS_MAX];

__attribute__((noinline)) static void keep_tiny(int count)
{
	for (int i = 0; i < count; i++)
		kept[i] = malloc(4);
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 0;

	if (count > OBJECTS_MAX)
		return 1;
	target_await();
	keep_tiny(count);
	return 0;
}
