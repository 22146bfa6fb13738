/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/held_events.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static size_t words_of(size_t size)
{
	return 1 + (size + sizeof(u64) - 1) / sizeof(u64);
}

int held_events_add(struct held_events *held, const struct event *event, size_t size)
{
	size_t words = words_of(size);
	int err = array_grow(&held->words, held->count, words);

	if (err)
		return err;
	held->words[held->count] = size;
	memcpy(&held->words[held->count + 1], event, size);
	held->count += words;
	return 0;
}

void held_events_release(struct held_events *held)
{
	free(held->words);
	*held = (struct held_events){0};
}

const struct event *held_events_next(const struct held_events *held, size_t *at, size_t *ret_size)
{
	const u64 *words = &held->words[*at];

	if (*at >= held->count)
		return NULL;
	*ret_size = words[0];
	*at += words_of(words[0]);
	return (const struct event *)&words[1];
}
