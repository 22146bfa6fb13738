/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "push/backoff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_NS BACKOFF_FIRST_NS

/* Marsaglia's xorshift64 (2003): good enough to spread agents, and the same for the same seed. */
static u64 random_below(struct backoff *backoff, u64 end)
{
	backoff->seed ^= backoff->seed << 13;
	backoff->seed ^= backoff->seed >> 7;
	backoff->seed ^= backoff->seed << 17;
	return backoff->seed % end;
}

static u64 step_ns(const struct backoff *backoff)
{
	u64 step = BACKOFF_FIRST_NS;

	for (u32 i = 1; i < backoff->failures && step < BACKOFF_MOST_NS; i++)
		step *= 2;
	return step < BACKOFF_MOST_NS ? step : BACKOFF_MOST_NS;
}

/* What the store said, and up to a quarter more. */
static u64 said_wait_ns(struct backoff *backoff, u64 said_ns)
{
	if (said_ns > BACKOFF_SAID_MOST_NS)
		said_ns = BACKOFF_SAID_MOST_NS;
	return said_ns + random_below(backoff, said_ns / 4 + 1);
}

u64 backoff_fail(struct backoff *backoff, u64 now_ns, u64 said_ns)
{
	u64 said = said_wait_ns(backoff, said_ns), step, wait;

	if (backoff->failures < UINT32_MAX)
		backoff->failures++;
	step = step_ns(backoff);
	wait = step / 2 + random_below(backoff, step / 2 + 1);
	if (wait < said)
		wait = said;
	backoff->until_ns = now_ns + wait;
	return wait;
}

void backoff_succeed(struct backoff *backoff)
{
	backoff->failures = 0;
	backoff->until_ns = 0;
}

u64 backoff_wait_ns(const struct backoff *backoff, u64 now_ns)
{
	return backoff->until_ns > now_ns ? backoff->until_ns - now_ns : 0;
}

/* --- Retry-After --- */

/* The program's locale has English names of days and months: only LC_CTYPE is ever set. */
static int parse_date(const char *value, time_t *ret_time)
{
	static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
					    "%a %b %d %H:%M:%S %Y"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm date = {0};
		const char *end = strptime(value, forms[i], &date);

		if (!end || end[strspn(end, " \t")])
			continue;
		*ret_time = timegm(&date);
		return 0;
	}
	return -EINVAL;
}

static int parse_delay(const char *value, u64 *ret_seconds)
{
	size_t length = strspn(value, "0123456789");

	if (!length || value[length + strspn(value + length, " \t")])
		return -EINVAL;
	*ret_seconds = strtoull(value, NULL, 10); /* the largest there is for what is larger */
	return 0;
}

int backoff_parse(const char *value, s64 wall_ns, u64 *ret_said_ns)
{
	const u64 most = BACKOFF_SAID_MOST_NS / SECOND_NS;
	u64 seconds;
	time_t date;

	value += strspn(value, " \t");
	if (parse_delay(value, &seconds)) {
		s64 now = wall_ns / (s64)SECOND_NS;

		if (parse_date(value, &date))
			return -EINVAL;
		seconds = date > now ? (u64)(date - now) : 0;
	}
	*ret_said_ns = (seconds < most ? seconds : most) * SECOND_NS;
	return 0;
}
