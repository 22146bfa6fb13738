/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lifetimes cost: nanoseconds an event over many sites in random order, nanoseconds a verdict, bytes a record.
 * On one line.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "profile/verdict.h"

#define SITES  100000
#define EVENTS 10000000
#define CYCLES 3000

static u64 next(u64 *chance)
{
	*chance = *chance * 6364136223846793005 + 1442695040888963407;
	return *chance >> 33;
}

static struct lifetime_time at(u32 tick)
{
	return (struct lifetime_time){tick, tick};
}

/* A birth, and for three of four a death some cycles later: the caches miss as they would in a large program. */
static double measure_events(struct lifetime *lifetimes)
{
	u64 chance = 1, start = clock_now_ns();
	u32 events = 0;

	while (events < EVENTS) {
		struct lifetime *lifetime = &lifetimes[next(&chance) % SITES];
		u32 birth = (u32)((u64)events * CYCLES / EVENTS);

		lifetime_birth(lifetime, birth);
		events++;
		if (next(&chance) % 4 == 0)
			continue;
		lifetime_death(lifetime, at(birth), at(birth + (u32)(next(&chance) % 50)));
		events++;
	}
	return (double)(clock_now_ns() - start) / EVENTS;
}

static double measure_verdicts(const struct lifetime *lifetimes, u32 *counts)
{
	u64 start = clock_now_ns();

	for (u32 i = 0; i < SITES; i++) {
		struct survival survival = {0};
		struct flow flow = {0};
		struct flow_trend trend;

		survival_add(&survival, &lifetimes[i], 1);
		flow_add(&flow, &lifetimes[i], 1, CYCLES + 50);
		flow_conclude(&flow, CYCLES + 50, &trend);
		counts[verdict_of(&survival, &trend, CYCLES + 50, 2)]++;
	}
	return (double)(clock_now_ns() - start) / SITES;
}

int main(void)
{
	struct lifetime *lifetimes = calloc(SITES, sizeof(*lifetimes));
	u32 counts[VERDICT_MIXED + 1] = {0};
	double event, verdict;

	if (!lifetimes)
		return 1;
	event = measure_events(lifetimes);
	verdict = measure_verdicts(lifetimes, counts);
	printf("%.0f %.0f %zu %u\n", event, verdict, sizeof(*lifetimes), counts[VERDICT_UNKNOWN]);
	free(lifetimes);
	return 0;
}
