/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRACE_ON_RING_H
#define TRACE_ON_RING_H
/* The ring's events, on their way to the recorder: what they call for here, when images begin and end. */
#include <stddef.h>

struct event;

/* As ring_open asks for; `tracer` is the struct tracer. Drains the side-band first as far as the event needs it. */
int on_ring(void *tracer, const struct event *event, size_t size);

#endif
