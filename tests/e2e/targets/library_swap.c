/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A library for target_swap: one of several that are alike to the byte in their layout and differ in the names of their
 * functions (INNER, OUTER) and, some of them, in the size of their frames (ROOM): an address or a rule taken for
 * another library's shows.
 */
#include <stddef.h>

typedef void *(*allocate_fn)(size_t size);

__attribute__((noinline)) static void *INNER(allocate_fn allocate, size_t size)
{
	volatile char room[ROOM];
	void *block;

	room[0] = 1;
	block = allocate(size);
	room[1] = room[0];
	return block;
}

__attribute__((noinline)) static void *OUTER(allocate_fn allocate, size_t size)
{
	volatile char room[ROOM];
	void *block;

	room[2] = 3;
	block = INNER(allocate, size);
	room[3] = room[2];
	return block;
}

struct library {
	void *(*outer)(allocate_fn allocate, size_t size);
};

const struct library library = {OUTER};
