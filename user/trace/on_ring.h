/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* The ring's events, on their way to the recorder: what they call for here, when images begin and end. */
#include "include/types.h"

struct tracer;

int on_ring_open(struct tracer *tracer); /* 0 or negative errno */
void on_ring_close(struct tracer *tracer);

/* How many bytes the programs have put into the ring since it was made, and how many were taken out of it. */
u64 on_ring_written(const struct tracer *tracer);
u64 on_ring_read(const struct tracer *tracer);

/*
 * Hand over at most about `most` events, each once the side-band has been drained as far as it needs: how many there were, or
 * negative errno, when events are lost. A target that allocates faster than heaptap reads must not starve signals.
 */
int on_ring_drain(struct tracer *tracer, int most);

/*
 * Keep what is in the ring now (tracer.held), in order: it is dealt with by the next drain. Whoever waits for it needs not wait for what it
 * calls for. 0 or negative errno. From another thread too, while none drains.
 */
int on_ring_hold(struct tracer *tracer);
