/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three laws behind one function around malloc, whose name nobody knows: garbage, a leak, and a cache that is full. */
#include <stdlib.h>

#define ROUNDS	30000
#define ENTRIES 400

static void *entries[ENTRIES];

__attribute__((noinline)) void *obtain(size_t size)
{
	void *block = malloc(size);

	if (!block)
		abort();
	return block;
}

__attribute__((noinline)) static void serve(void)
{
	void *volatile page = obtain(50000);

	free(page);
}

__attribute__((noinline)) static void leak(void)
{
	void *volatile entry = obtain(2000);

	(void)entry;
}

__attribute__((noinline)) static void replace(unsigned int place)
{
	void *volatile entry;

	free(entries[place]);
	entry = obtain(8000);
	entries[place] = entry;
}

int main(void)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		serve();
		leak();
		replace(i * 7919 % ENTRIES);
	}
	return 0;
}
