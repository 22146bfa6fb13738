/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Blocks from recursions: two that are deeper than the stacks that are kept whole, by different depths, one that is deeper than any
 * walk, and one that is not. A stack of 500 frames fits into one that is sent raw.
 */
#include <stdlib.h>

static const struct {
	int depth;
	size_t size;
} recursions[] = {{500, 77777}, {400, 77777}, {2000, 3333}, {50, 555}};

__attribute__((noinline)) static void *descend(int left, size_t size)
{
	void *volatile block = left ? descend(left - 1, size) : malloc(size);

	return block;
}

int main(void)
{
	for (size_t i = 0; i < sizeof(recursions) / sizeof(*recursions); i++) {
		void *volatile block = descend(recursions[i].depth, recursions[i].size);

		free(block);
	}
	return 0;
}
