/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRACE_RING_H
#define TRACE_RING_H
/* The consumer's end of the BPF ring buffer. */
#include <stddef.h>

#include "include/event.h"

struct ring;

/* Events of `map_fd` go to `each`, whose negative return ends a drain. 0 or negative errno. */
int ring_open(int map_fd, int (*each)(void *arg, const struct event *event, size_t size), void *arg,
	      struct ring **ret_ring);
void ring_close(struct ring *ring);

int ring_fd(const struct ring *ring); /* readable when the programs force a wake-up */

/* Hand over what is there, at most about `most` events: the number handed over, or what `each` returned. */
int ring_drain(struct ring *ring, int most);

#endif
