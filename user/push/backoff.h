/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * When a store that does not take requests is asked again: after 1 s at first, twice as long after each further failure, up to a
 * minute, and of that time a random part from the half on, so that the agents of many machines do not come at once. A store that says when
 * is asked a little later than that; no store is let wait for longer than BACKOFF_SAID_MOST_NS. The clock is the caller's, and only goes
 * forward.
 */
#include "include/types.h"

#define BACKOFF_FIRST_NS     1000000000ull
#define BACKOFF_MOST_NS	     (60 * BACKOFF_FIRST_NS)
#define BACKOFF_SAID_MOST_NS (900 * BACKOFF_FIRST_NS)

struct backoff {
	u64 until_ns; /* 0: now */
	u64 seed;     /* of the random numbers; any but 0 */
	u32 failures; /* since the last success */
};

/* Another failure; `said_ns`: so long the store said to wait, 0 if it said nothing. Returns how long it will be. */
u64 backoff_fail(struct backoff *backoff, u64 now_ns, u64 said_ns);

void backoff_succeed(struct backoff *backoff);

/* How long it is from now; 0: the store may be asked. */
u64 backoff_wait_ns(const struct backoff *backoff, u64 now_ns);

/*
 * The value of a Retry-After header (RFC 9110, 10.2.3): seconds, or a date in one of HTTP's three forms, of which `wall_ns`
 * (CLOCK_REALTIME) is subtracted; 0 ns when that is past. What is longer than BACKOFF_SAID_MOST_NS becomes that. 0 or -EINVAL.
 */
int backoff_parse(const char *value, s64 wall_ns, u64 *ret_said_ns);
