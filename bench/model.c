/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the model collector costs heaptap: 100 000 sites and 1 000 000 live samples, then as many events again in random
 * order. A line: bytes a site, MiB of anonymous memory with everything live, nanoseconds an event through the recorder,
 * nanoseconds an event in the model alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "heap/apply_event.h"

#define SITES	100000u
#define LIVE	1000000u
#define PROCESS 1u

static u64 seed = 1;

static u32 chance(u32 below)
{
	u64 z = seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (u32)((z ^ z >> 31) >> 32) % below;
}

static void give_up(const char *what)
{
	fprintf(stderr, "model: %s\n", what);
	exit(1);
}

static void allocate(struct recorder *recorder, u64 object, u64 time_ns)
{
	u32 site = object <= SITES ? (u32)object - 1 : chance(SITES);
	struct event_alloc event = {.header = {.kind = EVENT_ALLOC, .process = PROCESS, .time_ns = time_ns},
				    .object = object,
				    .addr = 4096 + 16 * object,
				    .size = 64 + site % 1000,
				    .stack = site};

	if (apply_event(recorder, &event.header, sizeof(event)))
		give_up("out of memory");
}

static void release(struct recorder *recorder, u64 object, u64 time_ns)
{
	struct event_object event = {.header = {.kind = EVENT_FREE, .process = PROCESS, .time_ns = time_ns},
				     .object = object};

	apply_event(recorder, &event.header, sizeof(event));
}

static double anonymous_mebibytes(void)
{
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long kilobytes = 0;
	char line[256];

	while (status && fgets(line, sizeof(line), status))
		if (sscanf(line, "RssAnon: %lu", &kilobytes) == 1)
			break;
	if (status)
		fclose(status);
	return (double)kilobytes / 1024;
}

/* The same work without events, objects and look-ups. */
static double model_ns(void)
{
	struct heap_site *sites = calloc(SITES, sizeof(*sites));
	struct gc_model gc;
	u64 start;

	if (!sites)
		give_up("out of memory");
	gc_model_init(&gc, &(struct gc_options){.gogc_percent = 100}, 0);
	start = clock_now_ns();
	for (u32 i = 0; i < LIVE; i++) {
		struct heap_site *born = &sites[chance(SITES)], *dead = &sites[chance(SITES)];
		u32 birth = gc.cycle - (gc.cycle ? chance(gc.cycle) : 0);

		gc_model_tick(&gc, i);
		gc_model_allocate(&gc, 524288, i);
		booking_add(&born->booking, &gc, 1, 1);
		gc_model_birth(&gc, 524288);
		lifetime_birth(&born->lifetime, gc.tick);
		gc_model_tick(&gc, i);
		gc_model_change(&gc, birth, -524288);
		lifetime_death(&dead->lifetime, (struct lifetime_time){birth, birth}, gc_model_now(&gc));
		booking_add(&dead->booking, &gc, 0, -1);
	}
	start = clock_now_ns() - start;
	gc_model_release(&gc);
	free(sites);
	return (double)start / (2.0 * LIVE);
}

int main(void)
{
	struct recorder_options options = {.sample_bytes = 524288, .gc = {.gogc_percent = 100}};
	struct recorder *recorder = recorder_new(&options);
	static u64 live[LIVE];
	u64 object = 0, start;
	double mebibytes;

	if (!recorder || recorder_begin(recorder, PROCESS, 1, 0, 0, NULL))
		give_up("out of memory");
	memset(live, 0xff, sizeof(live)); /* the bench's own, not to be counted below */
	mebibytes = anonymous_mebibytes();
	for (u32 i = 0; i < LIVE; i++) {
		live[i] = ++object;
		allocate(recorder, object, object);
	}
	mebibytes = anonymous_mebibytes() - mebibytes;
	start = clock_now_ns();
	for (u32 i = 0; i < LIVE; i++) {
		u32 at = chance(LIVE);

		release(recorder, live[at], object);
		live[at] = ++object;
		allocate(recorder, object, object);
	}
	start = clock_now_ns() - start;
	recorder_free(recorder);
	printf("%zu %.0f %.0f %.0f\n", sizeof(struct heap_site), mebibytes, (double)start / (2.0 * LIVE), model_ns());
	return 0;
}
