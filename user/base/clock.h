/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Times as heaptap counts them: nanoseconds in 64 bits. */
#include <time.h>

#include "include/types.h"

static inline u64 clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (u64)now.tv_sec * 1000000000 + (u64)now.tv_nsec;
}

/* So many milliseconds from now, as pthread_cond_clockwait() takes it with CLOCK_MONOTONIC: the other clock may be set back. */
static inline struct timespec clock_deadline(int milliseconds)
{
	u64 until = clock_ns(CLOCK_MONOTONIC) + (u64)milliseconds * 1000000;

	return (struct timespec){.tv_sec = (time_t)(until / 1000000000), .tv_nsec = (long)(until % 1000000000)};
}

/* The clock of events and of the side-band. */
static inline u64 clock_now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}
