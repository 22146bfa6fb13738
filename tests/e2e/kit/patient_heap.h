/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Objects of target_patient, by all functions, which keep what is written to them. To be included once. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define OBJECTS 64

/* By malloc, then larger by realloc, filled with the number. NULL: what was in it is lost. */
static unsigned char *grown(unsigned int number, size_t size)
{
	unsigned char *small = malloc(size / 2 + 1), *object;

	memset(small, (int)number, size / 2 + 1);
	object = realloc(small, size);
	if (object[0] == (unsigned char)number && object[size / 2] == (unsigned char)number)
		return object;
	free(object);
	return NULL;
}

static unsigned char *allocated(unsigned int number, size_t size)
{
	void *object;

	switch (number % 4) {
	case 0:
		return malloc(size);
	case 1:
		return calloc(1, size);
	case 2:
		return grown(number, size);
	default:
		return posix_memalign(&object, 64, size) ? NULL : object;
	}
}

/* What was lost, or NULL. */
static const char *heap_turn(void)
{
	static __thread unsigned int random = 1;
	unsigned char *objects[OBJECTS];
	const char *lost = NULL;
	size_t sizes[OBJECTS];

	for (unsigned int i = 0; i < OBJECTS; i++) {
		random = random * 1664525 + 1013904223;
		sizes[i] = 2 + (random >> 20);
		objects[i] = allocated(i, sizes[i]);
		if (!objects[i])
			return "an object, or what was in it, is lost";
		memset(objects[i], (int)i, sizes[i]);
	}
	for (unsigned int i = 0; i < OBJECTS; i++) {
		if (objects[i][0] != i || objects[i][sizes[i] - 1] != i)
			lost = "an object lost what was in it";
		free(objects[i]);
	}
	return lost;
}
