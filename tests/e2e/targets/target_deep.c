/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One block from a recursion that is deeper than any stack is walked, and one from a depth that is not. */
#include <stdlib.h>

#define DEEP	500
#define SHALLOW 50

__attribute__((noinline)) static void *descend(int left, size_t size)
{
	void *volatile block = left ? descend(left - 1, size) : malloc(size);

	return block;
}

int main(void)
{
	void *volatile deep = descend(DEEP, 77777), *volatile shallow = descend(SHALLOW, 555);

	free(deep);
	free(shallow);
	return 0;
}
