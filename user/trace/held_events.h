/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Events taken from the ring and kept, in their order, to be dealt with later. */
#include <stddef.h>

#include "include/event.h"

struct held_events {
	u64 *words; /* of each: its size, and it */
	size_t count;
};

/* 0 or -ENOMEM: it is not kept. */
int held_events_add(struct held_events *held, const struct event *event, size_t size);
void held_events_release(struct held_events *held);

/* The event behind *at, which is 0 at first and moves on; NULL: there is none. */
const struct event *held_events_next(const struct held_events *held, size_t *at, size_t *ret_size);
