/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/pace.h"

#include "trace/on_ring.h"
#include "trace/tracer_internal.h"

/*
 * One part of so many of the ring is much. What comes in five times as long is then a sixth of it still, far from the half at which every
 * event wakes the reader and its process pays for that.
 */
#define MUCH 32

void pace_stir(struct pace *pace, u64 now_ns)
{
	pace->stirred_ns = now_ns;
}

void pace_look_at_ring(struct tracer *tracer, u64 now_ns)
{
	if (on_ring_written(tracer) - on_ring_read(tracer) > tracer->ring_bytes / MUCH)
		pace_stir(&tracer->pace, now_ns);
}

/* Windows open and close by the CPU time that passes; of Python's tables the moment that is right is looked for. */
static bool is_waiting(const struct tracer *tracer)
{
	return tracer->budget.windows.scale || tracer->python_due;
}

int pace_rest_ms(const struct tracer *tracer, u64 now_ns)
{
	if (is_waiting(tracer) || now_ns < tracer->pace.stirred_ns + PACE_AFTER_NS)
		return PACE_BRISK_MS;
	return PACE_QUIET_MS;
}
