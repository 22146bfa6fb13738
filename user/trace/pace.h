/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How long the tracer may rest between two drains. Waking up is most of what heaptap costs while samples are few, and nearly all that cannot
 * wait wakes it by itself (tracer_fd): a process that begins, a stack that came raw, a ring that is half full, a side-band that is. What does
 * not is a mapping of code, which would wake heaptap for every process of the machine. Mappings come in groups, at the start of a program and
 * when it loads a library: so drains come thick after one, and else rarely.
 */
#include "include/types.h"

struct tracer;

#define PACE_BRISK_MS 20  /* between two drains for PACE_AFTER_NS after a stir, or while something is waited for */
#define PACE_QUIET_MS 100 /* otherwise */
#define PACE_AFTER_NS 1000000000ULL

struct pace {
	u64 stirred_ns; /* the last time */
};

/* Something has happened after which more may, at `now_ns`. */
void pace_stir(struct pace *pace, u64 now_ns);

/* The ring is about to be drained: if it has much, the next drain should come soon. */
void pace_look_at_ring(struct tracer *tracer, u64 now_ns);

/* In milliseconds, from `now_ns` on. */
int pace_rest_ms(const struct tracer *tracer, u64 now_ns);
