/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trace/windows.h"

#include <math.h>

/* A window's length, whatever the ones before it were: many processes do much work between two looks. */
#define SHORTEST_NS ((s64)WINDOW_NS / 10)
#define LONGEST_NS  (4 * (s64)WINDOW_NS)

static void draw(struct windows *windows, u64 now_ns, u32 random)
{
	windows->period_ns = now_ns;
	windows->drawn = (u32)((u64)random * windows->scale >> 32);
	windows->done = false;
}

/* The spread of one window alone is not known: then all of it may be chance. */
static double variance(const struct windows *windows)
{
	double beside = 1 - 1.0 / windows->scale;

	if (windows->count < 2)
		return windows->count * beside * windows->last * windows->last;
	return beside * windows->count * windows->squares / (2.0 * (windows->count - 1));
}

static void take_over(struct windows *windows, u64 now_ns)
{
	if (!windows->scale)
		return;
	windows->variance += variance(windows);
	windows->passed_ns += now_ns - windows->period_ns;
	windows->owed_ns = 0;
	windows->count = 0;
	windows->last = windows->squares = 0;
}

void windows_begin(struct windows *windows, u32 scale, u64 now_ns, u32 random)
{
	take_over(windows, now_ns);
	windows->scale = scale;
	draw(windows, now_ns, random);
}

void windows_end(struct windows *windows, u64 now_ns)
{
	take_over(windows, now_ns);
	windows->scale = 0;
}

static void next_period(struct windows *windows, u64 now_ns, u32 random)
{
	u64 length_ns = WINDOW_NS * windows->scale, end_ns = windows->period_ns + length_ns;

	/* What is late by more than a window is not caught up: the period was longer. */
	if (now_ns - end_ns > WINDOW_NS)
		end_ns = now_ns;
	length_ns = end_ns - windows->period_ns;
	windows->passed_ns += length_ns;
	windows->owed_ns += (s64)(length_ns / windows->scale) - (s64)WINDOW_NS;
	draw(windows, end_ns, random);
}

static u64 wanted_ns(const struct windows *windows)
{
	s64 wanted = (s64)WINDOW_NS + windows->owed_ns;

	return (u64)(wanted < SHORTEST_NS ? SHORTEST_NS : wanted > LONGEST_NS ? LONGEST_NS : wanted);
}

bool windows_period_is_over(const struct windows *windows, u64 now_ns)
{
	return windows->done && now_ns >= windows->period_ns + WINDOW_NS * windows->scale;
}

enum window_change windows_look(struct windows *windows, u64 now_ns, u32 random)
{
	if (!windows->scale)
		return WINDOW_STAYS;
	if (windows->open)
		return now_ns >= windows->opened_ns + wanted_ns(windows) ? WINDOW_CLOSES : WINDOW_STAYS;
	if (windows_period_is_over(windows, now_ns))
		next_period(windows, now_ns, random);
	return !windows->done && now_ns >= windows->period_ns + WINDOW_NS * windows->drawn ? WINDOW_OPENS
											   : WINDOW_STAYS;
}

void windows_opened(struct windows *windows, u64 now_ns)
{
	windows->open = true;
	windows->opened_ns = now_ns;
}

void windows_closed(struct windows *windows, u64 now_ns, u64 calls)
{
	u64 was_open_ns = now_ns - windows->opened_ns;
	double estimate = (double)calls * windows->scale;

	windows->open = false;
	windows->done = true;
	windows->open_ns += was_open_ns;
	windows->owed_ns += (s64)WINDOW_NS - (s64)was_open_ns;
	windows->calls += estimate;
	if (windows->count++)
		windows->squares += (estimate - windows->last) * (estimate - windows->last);
	windows->last = estimate;
}

double windows_error(const struct windows *windows)
{
	double sum = windows->variance + (windows->scale ? variance(windows) : 0);

	return windows->calls > 0 ? sqrt(sum) / windows->calls : 0;
}
