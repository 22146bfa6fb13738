/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Arrays that grow. How much room an array has follows from its count (the next power of two), so that there is no
 * capacity to keep:
 *
 *	if (array_grow(&list->items, list->count, 1))
 *		return -ENOMEM;
 *	list->items[list->count++] = item;
 *
 * An array begins as NULL with count 0, and no other allocation may become one. One whose count was lowered is cut down
 * by the next call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "include/types.h"

#define ARRAY_ROOM_MIN 16

static inline u64 array_room(u64 count)
{
	if (!count)
		return 0;
	return count <= ARRAY_ROOM_MIN ? ARRAY_ROOM_MIN : 1ULL << (64 - __builtin_clzll(count - 1));
}

/* Make room for `more` items behind the `count` that *items has. 0, or -ENOMEM, with the array as it was. */
#define array_grow(items, count, more)                                                                                 \
	({                                                                                                             \
		int array_err;                                                                                         \
		*(items) = array_grown(*(items), count, more, sizeof(**(items)), &array_err);                          \
		array_err;                                                                                             \
	})

static inline void *array_grown(void *array, u64 count, u64 more, size_t size, int *ret_err)
{
	void *grown;

	*ret_err = 0;
	if (array_room(count + more) == array_room(count))
		return array;
	grown = reallocarray(array, array_room(count + more), size);
	if (grown)
		return grown;
	*ret_err = -ENOMEM;
	return array;
}

/* How many elements have a key up to `key`. Each begins with its key, a u64, and keys ascend. */
#define array_count_upto(items, count, key) array_count_upto_sized(items, count, key, sizeof(*(items)))

static inline u64 array_count_upto_sized(const void *items, u64 count, u64 key, size_t size)
{
	u64 first = 0, end = count;

	while (first < end) {
		u64 middle = first + (end - first) / 2, at;

		memcpy(&at, (const char *)items + middle * size, sizeof(at));
		if (at <= key)
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}
